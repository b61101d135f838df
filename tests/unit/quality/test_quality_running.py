"""The benchmark end to end on small series: what is cached, what fails, what is printed and written, and wrong calls."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from amad.detection.thresholds import threshold_of
from benchmarks.quality import registry, results
from benchmarks.quality.__main__ import main
from benchmarks.quality.measure import deviation_hits, false_alarms, hits, measure
from benchmarks.quality.methods import Clock, Missing, Result
from benchmarks.quality.ours import Amad
from benchmarks.quality.running import run, turns
from benchmarks.quality.sources import Data, find
from benchmarks.quality.store import Store, data_key, method_key

SMALL = {
    "window": 24, "stride": 8, "score_stride": 12, "d_model": 16, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 2,
}  # fmt: skip


@dataclass
class Counting:
    """A method that knows how often it was called."""

    name: str = "counting"
    seeds: tuple = (0, 1)
    version: str = "1"
    fault: Exception | None = None
    calls: int = 0

    @property
    def settings(self):
        return {"a": 1}

    def fit_score(self, train, test, seed):
        self.calls += 1
        if self.fault:
            raise self.fault
        clock = Clock()
        clock.fitted()
        score = np.abs(test[:, 0]) + seed
        own = np.abs(train[:, 0])
        shares = np.tile([0.9, 0.1], (len(test), 1))
        return Result(own, score, shares, clock.scored(), variants={"recipe": (own**2, score**2)})


def measured(data, methods, tmp_path, **options):
    return list(run(find(data), methods, options.pop("seeds", None), Store(tmp_path / "cache"), jobs=0, **options))


def test_what_was_scored_before_is_not_scored_again(data, tmp_path, capsys):
    method = Counting()
    rows = measured(data, [method], tmp_path)
    assert method.calls == 4  # two entities, two seeds
    assert [(row["entity"], row["method"], row["seed"]) for row in rows[:3]] == [
        ("ASD/one", "counting", 0), ("ASD/one", "counting+recipe", 0), ("B/two", "counting", 0),
    ]  # fmt: skip
    assert rows[0]["metrics"]["hits"] == dict.fromkeys(("hit_100", "hit_150", "ndcg_100", "ndcg_150"), 1.0)
    assert "4/4 B/two · counting · seed 1" in capsys.readouterr().err
    assert measured(data, [method], tmp_path) == rows
    assert method.calls == 4
    method.version = "2"
    assert len(measured(data, [method], tmp_path, seeds=[1])) == 4
    assert method.calls == 6


def test_what_stands_in_the_results_is_not_measured_again_though_no_score_was_kept(data, tmp_path, capsys):
    method = Counting()
    rows = measured(data, [method], tmp_path, seeds=[0])
    (tmp_path / "cache").rename(tmp_path / "gone")
    assert measured(data, [method], tmp_path, seeds=[0], known=rows) == []
    assert method.calls == 2
    assert "2 stand in the results already" in capsys.readouterr().err
    # Another seed, another version of the method, other metrics or other data were not measured.
    assert len(measured(data, [method], tmp_path, seeds=[1], known=rows)) == len(rows)
    for part, other in (("measured", "older"), ("data", "00000000"), ("key", "0")):
        (tmp_path / "cache").rename(tmp_path / f"gone {part}")
        changed = [{**row, part: other} for row in rows]
        assert len(measured(data, [method], tmp_path, seeds=[0], known=changed)) == len(rows)


def test_metrics_are_made_again_from_kept_scores(data, tmp_path):
    method = Counting()
    rows = measured(data, [method], tmp_path, seeds=[0])
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_text(json.dumps({"version": "older", "rows": []}))
    again = measured(data, [method], tmp_path, seeds=[0])
    assert method.calls == 2
    assert [row["method"] for row in again] == [row["method"] for row in rows]
    assert again[0]["metrics"]["vus_pr"] == pytest.approx(rows[0]["metrics"]["vus_pr"], abs=1e-6)
    for path in (tmp_path / "cache").rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:50])  # cut off
        path.with_suffix(".json").write_text("{")
    assert len(measured(data, [method], tmp_path, seeds=[0])) == len(rows)
    assert method.calls == 4


def test_a_method_that_fails_does_not_end_the_run(data, tmp_path, capfd):
    wrong = Counting("wrong", (0,), fault=ValueError("no such thing"))
    absent = Counting("absent", (0,), fault=Missing("it needs a package"))
    rows = measured(data, [wrong, absent, Counting()], tmp_path, seeds=[0])
    assert [row.get("error") for row in rows[:2]] == ["ValueError: no such thing"] * 2
    assert [row.get("missing") for row in rows[2:4]] == ["it needs a package"] * 2
    assert len(rows) == 8
    assert "no such thing" in capfd.readouterr().err


def test_nothing_is_begun_after_the_limit(data, tmp_path, capsys):
    method = Counting()
    assert measured(data, [method], tmp_path, limit=1e-9) == []
    assert method.calls == 0
    assert "The time limit is reached: 4 of 4 were not begun." in capsys.readouterr().err


def test_the_key_holds_settings_version_and_values():
    plain = Amad("AMAD", SMALL)
    assert method_key(plain) == method_key(Amad("AMAD", SMALL, seeds=(0,)))
    assert len({method_key(plain), method_key(Amad("AMAD", {**SMALL, "beta": 0.5})), method_key(Amad("B", SMALL))}) == 3
    zeros, labels = np.zeros((5, 2), np.float32), np.zeros(5, np.int8)
    keys = {data_key(Data(part, other, labels)) for part in (zeros, zeros + 1) for other in (zeros, zeros + 2)}
    assert len(keys) == 4
    assert data_key(Data(zeros, zeros, labels)) == data_key(Data(zeros, zeros, labels + 1))


def test_amad_gives_its_views_and_scores_without_each(data):
    series = find(data)["ASD/one"].load()
    found = Amad("AMAD", SMALL, views=True).fit_score(series.train, series.test, 0)
    assert found.test_scores.shape == (200,)
    assert found.shares.shape == (200, 2)
    assert found.promised == pytest.approx(0.01)
    assert {"reconstruction alone", "divergence alone", "with divergence"} <= set(found.variants)
    for name, (before, after) in found.variants.items():
        assert len(before) == (200 if name.endswith("alone") else 0)
        assert len(after) == 200
        assert np.isfinite(after).all()
    assert found.threshold == pytest.approx(threshold_of("capped:0.99", found.train_scores, found.test_scores))
    assert (found.test_scores > found.threshold).sum() <= 10  # 5 % of 200 rows
    whole = measure(found, series)
    assert whole["false_alarms"] is not None
    part = measure(Result(*found.variants["with divergence"]), series)
    assert part["vus_pr"] > 0
    assert "point_f1" not in part
    assert "false_alarms" not in part


def test_a_setting_that_there_is_not_is_missing():
    with pytest.raises(Missing, match="there is no setting no_such"):
        Amad("AMAD x", {"no_such": 1}).fit_score(np.zeros((9, 1)), np.zeros((9, 1)), 0)


def test_names_are_matched_without_regard_to_case_and_punctuation():
    names = [method.name for method in registry.everything()]
    assert len({registry.slug(name) for name in names}) == len(names)
    assert [method.name for method in registry.choose(["amad-without-max-min", "ZSCORE"])] == [
        "zscore",
        "AMAD without Max-Min",
    ]
    assert registry.choose(["amad"])[0].name == "AMAD"


def test_hits_of_shares_that_are_right_and_wrong():
    labels = np.zeros(10, np.int8)
    data = Data(np.zeros((4, 4), np.float32), np.zeros((10, 4), np.float32), labels, ((2, 5, (1, 3)), (6, 8, (0,))))
    right = np.zeros((10, 4))
    right[2:5] = [0.1, 0.5, 0.0, 0.4]
    right[6:8] = [1, 0, 0, 0]
    assert hits(right, data) == dict.fromkeys(("hit_100", "hit_150", "ndcg_100", "ndcg_150"), 1.0)
    wrong = hits(1 - right, data)
    assert (wrong["hit_100"], wrong["hit_150"]) == (0.0, pytest.approx(0.25))
    assert deviation_hits(Data(data.train, data.test, labels)) is None


def test_false_alarms_leave_out_what_lies_beside_an_event():
    labels = np.zeros(1000, np.int8)
    labels[500:520] = 1
    scores = np.zeros(1000)
    scores[440:580] = 5  # the event and what smoothing spreads over
    assert false_alarms(scores, labels, 1.0) == 0
    scores[:44] = 5
    assert false_alarms(scores, labels, 1.0) == pytest.approx(44 / (1000 - 20 - 2 * 61))
    assert false_alarms(scores, np.ones(1000, np.int8), 1.0) is None


def call(data, tmp_path, *words):
    given = [
        "--data",
        str(data),
        "--jobs",
        "0",
        "--cache",
        str(tmp_path / "cache"),
        "--results",
        str(tmp_path / "results"),
    ]
    return main([*given, *words])


def test_it_prints_a_table_keeps_results_and_writes_a_page(data, tmp_path, capsys):
    page = tmp_path / "docs" / "quality.md"
    page.parent.mkdir()
    (page.parent / "quality-notes.md").write_text("## By hand\n\nA note.\n")
    assert call(data, tmp_path, "--methods", "random,zscore,delay-pca", "--docs", str(page)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["method", "VUS-PR"]
    names = [line.split()[0] for line in lines[1:6]]
    assert set(names) == {"random", "zscore", "zscore+recipe", "delay-pca", "delay-pca+recipe"}
    assert names[-1] == "random"
    (path,) = (tmp_path / "results").iterdir()
    assert path == results.path_of(registry.slug(data.name), tmp_path / "results")
    rows = results.read(path)
    assert {row["entity"] for row in rows} == {"ASD/one", "B/two"}
    assert results.made(path).keys() == {"date", "machine", "versions"}
    before = path.read_text()
    assert call(data, tmp_path, "--methods", "zscore") == 0
    assert path.read_text() == before

    path.rename(results.path_of("core", tmp_path / "results"))
    assert call(data, tmp_path, "--report", "--docs", str(page)) == 0
    text = page.read_text()
    assert "## Size `core`: 2 entities" in text
    assert "| delay-pca |" in text
    assert "- Not run: " in text
    assert "best on most metrics | not testable here" in text
    assert text.endswith("## By hand\n\nA note.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--entities", "A/none"], 'There is no entity or dataset "A/none". There are ASD/one, B/two.\n'),
        (
            ["--methods", "lof"],
            'There is no method "lof". Choose from the groups light, amad, ablations, presets, peers and the names random',
        ),
        (["--seeds", "x"], '"x" is not a list of seeds. Write them as 0,1,2.\n'),
        (["--data", "{data}/ASD/one"], "{data}/ASD/one holds no series that are recognised"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(data, tmp_path, capsys, words, message):
    assert call(data, tmp_path, *(word.format(data=data) for word in words)) == 2
    assert message.format(data=data) in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_folder_of_tsb_ad_files_is_measured_with_its_own_window(data, tmp_path, capsys):
    series = find(data)["B/two"].load()
    frame = pd.DataFrame(np.concatenate((series.train, series.test)))
    frame["Label"] = np.concatenate((np.zeros(200, int), series.labels))
    folder = tmp_path / "TSB-AD-M"
    folder.mkdir()
    frame.to_csv(folder / "001_B_id_1_Facility_tr_200_1st_300.csv", index=False)
    assert call(folder, tmp_path, "--methods", "zscore", "--seeds", "0", "--size", "full") == 0
    (row, *_) = results.read(results.path_of("tsb-ad-m", tmp_path / "results"))
    assert row["rows"] == [200, 400]
    from amad.evaluation import evaluate
    from benchmarks.quality.light import Plain

    (entity,) = find(folder).values()
    loaded = entity.load()
    score = Plain("zscore").fit_score(loaded.train, loaded.test, 0).test_scores
    expected = evaluate(score, loaded.labels, sliding_window=loaded.window, threshold=0.0)["vus_pr"]
    assert row["metrics"]["vus_pr"] == pytest.approx(expected, abs=1e-5)
    assert loaded.window != 100
    assert capsys.readouterr().out.splitlines()[0].startswith("method")


def test_every_dataset_has_its_turn_before_a_second_of_any():
    sizes = {"A/1": 9, "A/2": 3, "B/1": 5, "C/1": 1, "C/2": 2, "C/3": 0}
    assert turns(sizes) == ["C/3", "A/2", "B/1", "C/1", "A/1", "C/2"]
