"""The quality benchmark end to end on two small entities: its table, its record, and calls that are wrong."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

SMALL = {
    "window": 24, "stride": 8, "score_stride": 12, "d_model": 16, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 2, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def quality():
    torch.set_num_threads(1)
    path = Path(__file__).parents[3] / "benchmarks" / "quality" / "__main__.py"
    spec = importlib.util.spec_from_file_location("quality_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name in ("A/one", "B/two", "SKAB/three"):
        folder = root / name
        folder.mkdir(parents=True)
        for part in ("train", "test"):
            values = np.sin(np.arange(200)[:, None] / [3, 5]) + rng.normal(0, 0.1, (200, 2))
            frame = pd.DataFrame(values.astype(np.float32), columns=["x", "y"])
            if part == "test":
                frame.loc[100:120, "x"] += 4
                frame["label"] = ((frame.index >= 100) & (frame.index <= 120)).astype(np.int8)
            frame.to_parquet(folder / f"{part}.parquet")
    return root


def test_it_ranks_every_detector_and_keeps_a_record(quality, data, tmp_path, capsys):
    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    results = tmp_path / "results" / "quality.jsonl"
    assert quality.main(["--data", str(data), "--results", str(results), *settings]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "AUC-PR / AUC-ROC"
    assert lines[1].split() == ["A/one", "B/two", "mean", "of", "datasets"]
    assert "1/2 A/one: AMAD" in printed.err
    (entry,) = [json.loads(line) for line in results.read_text().splitlines()]
    assert {"date", "machine", "versions", "preset", "settings", "rows"} == set(entry)
    found = {(row["entity"], row["detector"]): row for row in entry["rows"]}
    assert {entity for entity, _ in found} == {"A/one", "B/two"}
    for name in ("AMAD", "AMAD, reconstruction alone", "fused pair, no network", "zscore", "delay-pca+recipe"):
        assert found["A/one", name]["auc_pr"] > 0.4, name
        assert any(line.startswith(name) for line in lines)
    assert found["A/one", "random"]["auc_pr"] < 0.3


def test_the_mean_is_that_of_dataset_means(quality):
    rows = [
        {"entity": entity, "detector": "d", "auc_pr": value, "auc_roc": None}
        for entity, value in (("A/1", 0.2), ("A/2", 0.4), ("B/1", 0.9))
    ]
    assert quality.dataset_mean(rows, "d", "auc_pr") == pytest.approx(0.6)
    assert quality.dataset_mean(rows, "d", "auc_roc") is None
    assert quality.table(rows).splitlines()[2].split()[-3:] == ["0.600", "/", "-"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "windw=3"], 'There is no setting "windw". Did you mean "window"?\n'),
        (
            ["--entities", "A/none"],
            "{data}/A/none has no train.parquet and test.parquet. Name entities as dataset/entity.\n",
        ),
        (
            ["--data", "{data}/A"],
            "{data}/A holds no <dataset>/<entity>/test.parquet. Name the folder of the labelled series.\n",
        ),
    ],
)
def test_a_wrong_call_says_what_is_wrong(quality, data, tmp_path, capsys, arguments, message):
    given = [word.format(data=data) for word in ["--data", "{data}", *arguments]]
    assert quality.main([*given, "--results", str(tmp_path / "r.jsonl")]) == 2
    assert capsys.readouterr().err.endswith(message.format(data=data))
    assert not (tmp_path / "r.jsonl").exists()
