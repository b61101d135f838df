"""Many series: one model each or one shared, a table, and failures that do not stop the rest."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from amad import jobs
from amad.cli import main
from amad.config import make_config
from amad.errors import InputError, JobError
from amad.jobs import many
from amad.series import Series
from amad.workspace import Workspace

TINY = {
    "window": 16, "stride": 8, "score_stride": 16, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 4, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 5, "device": "cpu",
}  # fmt: skip
SETTINGS = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    opened = Workspace.open(tmp_path / "ws")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(3)
    place = tmp_path / "pumps"
    place.mkdir()
    for name, rows, head in (("a", 200, "x,y"), ("b", 150, "x,y"), ("short", 10, "x,y"), ("other", 120, "x,z")):
        lines = [head, *(",".join(f"{v:.4f}" for v in row) for row in rng.normal(size=(rows, 2)))]
        (place / f"{name}.csv").write_text("\n".join(lines))
    (place / "broken.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    (place / "notes.md").write_text("no series")
    return place


def fit(capsys, workspace, *arguments):
    code = main(["fit", *map(str, arguments), *SETTINGS, "--workspace", str(workspace.path), "--json"])
    return code, {line["series"]: line for line in json.loads(capsys.readouterr().out.splitlines()[-1])}


def test_one_model_each_and_what_fails_does_not_stop_the_rest(workspace, folder, capsys):
    code, found = fit(capsys, workspace, folder)
    assert code == 2  # some failed
    assert {name: line["state"] for name, line in found.items()} == {
        "a": "done", "b": "done", "other": "done", "short": "failed", "broken.csv": "unread",
    }  # fmt: skip
    assert "fewer than one window of 16" in found["short"]["error"]
    assert "broken.csv" in found["broken.csv"]["error"]
    assert found["a"]["rows"] == 200
    assert found["a"]["highest"] > 0
    assert found["a"]["events"] is not None
    assert {run.batch for run in workspace.runs()} == {"pumps"}
    assert many.batches(workspace) == ["pumps"]
    assert many.batch_name(workspace, str(folder)) == "pumps 2"


def test_one_shared_model_scores_every_series_with_its_channels(workspace, folder, capsys):
    code, found = fit(capsys, workspace, folder / "*.csv", "--shared", "--train", "0:0.8", "--name", "all pumps")
    assert code == 2
    assert {name: line["state"] for name, line in found.items()} == {
        "a": "done", "b": "done", "short": "failed", "other": "failed", "broken.csv": "unread",
    }  # fmt: skip
    assert found["other"]["error"] == "It lacks 1 of the 2 shared channels: y."
    (run,) = workspace.runs()
    assert found["a"]["run_id"] == found["b"]["run_id"] == run.id
    joined = workspace.open_series(run.series_id)
    assert joined.rows == 160 + many.GAP + 120
    assert np.isnan(joined.values[160 : 160 + many.GAP]).all()
    np.testing.assert_array_equal(joined.values[:160], workspace.open_series("a").values[:160])
    assert workspace.scores_columns(run.id, "b").rows == 150


def test_a_shared_run_resumed_scores_what_it_had_not_scored(workspace):
    for index in range(2):
        values = np.random.default_rng(index).normal(size=(90, 2)).astype(np.float32)
        workspace.add_series(Series(f"s{index}", values, ("x", "y")))
    records = [workspace.find_series(f"s{index}") for index in range(2)]
    run, refused = many.create_shared(workspace, records, "quick", make_config("quick", TINY), "two")
    assert refused == []
    assert many.also_of(workspace, run.id) == tuple(record.id for record in records)
    assert {result.state for result in many.results(workspace, "two")} == {"queued"}
    assert jobs.submit(workspace, run.id).state == "queued"
    workspace.delete_series("s1")
    from amad.jobs.work import work
    from amad.workspace.tables import RunRow

    assert work(workspace, workspace.states.claim(RunRow, run.id)).state == "done"
    assert [(result.series, result.state) for result in many.results(workspace, "two") if not result.error] == [
        ("s0", "done")
    ]


@pytest.mark.parametrize("places", [1, 3])
def test_what_is_wrong_with_one_series_does_not_stop_the_rest_but_a_lost_cluster_does(workspace, monkeypatch, places):
    names = ("s0", "s1", "s2", "s3")
    for index, name in enumerate(names):
        workspace.add_series(Series(name, np.full((90, 2), index, np.float32), ("x", "y")))
    records = [workspace.find_series(name) for name in names]
    run, _ = many.create_shared(workspace, records, "quick", make_config("quick", TINY), "four")
    scored, wrong = [], [InputError("no")]

    def keep(_workspace, _run_id, _record, detector, series, on_progress):
        for block in detector.blocks(series.values, on_progress):
            scored.append(block)
            yield block

    monkeypatch.setattr(many, "scored", keep)

    class Scorer:
        def blocks(self, values, on_progress):
            if values[0, 0] == 1:
                raise wrong[0]
            yield int(values[0, 0])

    heart = SimpleNamespace(progress=None)
    many.score_also(workspace, run, Scorer(), heart, places)
    assert sorted(scored) == [0, 2, 3]
    wrong[0] = JobError("The Ray cluster failed.")
    with pytest.raises(JobError, match="The Ray cluster failed"):
        many.score_also(workspace, run, Scorer(), heart, places)


def test_folders_and_patterns_without_series_are_told(workspace, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "no*such"):
        with pytest.raises(InputError, match="holds no file that AMAD reads as a series"):
            many.files_of(str(tmp_path / name))
    assert not many.is_many(str(tmp_path / "missing.csv"))
    assert main(["fit", "x.csv", "--shared", "--workspace", str(workspace.path)]) == 2
    record = workspace.add_series(Series("one", np.zeros((30, 1), np.float32), ("x",)))
    with pytest.raises(InputError, match="at least two series with the same channels"):
        many.create_shared(workspace, [record], "quick", make_config("quick", TINY), "b")
