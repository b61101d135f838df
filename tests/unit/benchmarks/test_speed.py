"""The speed benchmark's harness: what it counts and how it compares. No figure of any machine is asserted."""

import json
import sys

import pytest
import torch

from benchmarks.peers.package import load
from benchmarks.quality.methods import Missing
from benchmarks.speed import __main__ as speed
from benchmarks.speed.fits import SIX, made
from benchmarks.speed.steps import Sizes, ours, product, theirs
from benchmarks.speed.timing import Times, in_turn, ratio, spent

torch.set_num_threads(1)
SMALL = Sizes(batch=2, window=8, channels=3, width=8, heads=2, blocks=1, feed_forward=16)


def test_operations_are_those_of_the_matrix_products() -> None:
    def multiply(rows: int, inner: int, columns: int) -> int:
        return 2 * rows * inner * columns

    wanted = 0
    for _ in range(SMALL.batch):
        wanted += multiply(8, 3 * 3, 8) + multiply(8, 8, 3)  # a convolution of width 3 in, a projection out
        for _ in range(SMALL.blocks):
            wanted += 4 * multiply(8, 8, 8) + multiply(8, 8, 16) + multiply(8, 16, 8)  # Q, K, V, output; feed-forward
            wanted += SMALL.heads * 2 * (multiply(8, 4, 8) + multiply(8, 8, 4))  # two attentions
    assert SMALL.flops() == wanted


def test_every_piece_of_work_runs_and_training_learns() -> None:
    x = torch.randn(5, 8, 3)  # two batches, and one that is not full
    work = ours(SMALL, x)
    losses = [work["train"]() for _ in range(12)]
    assert losses[-1] < losses[0]
    for name in ("score", "reconstruct"):
        assert [part.shape for part in work[name]()] == [(2, 8), (2, 8), (1, 8)]
    multiply, operations = product(16)
    assert multiply().shape == (16, 16)
    assert operations == 2 * 16**3


def test_the_peer_runs_or_says_what_it_needs() -> None:
    x = torch.randn(2, 8, 3)
    try:
        load("AnomalyTransformer")
    except Missing:
        with pytest.raises(Missing, match="TSB-AD"):
            theirs(SMALL, x)
        return
    work = theirs(SMALL, x)
    assert isinstance(work["train"](), float)
    assert [part.shape for part in work["score"]()] == [(2, 8)]


def test_work_is_done_in_turn_and_compared_by_its_least() -> None:
    seen: list[str] = []
    found = in_turn({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 3)
    assert seen == ["a", "b"] * 4
    assert {len(times.wall) for times in found.values()} == {3}
    compared = ratio(Times((4.0, 6.0, 5.0), (2.0, 2.0, 2.0)), Times((2.0, 2.0, 1.0), (1.0, 1.0, 0.5)))
    assert compared == {"ratio": 4.0, "median": 2.5, "low": 2.0, "high": 5.0, "cpu": 4.0}
    assert Times((2.0, 4.0), (1.0, 3.0)).summary(8)["per_second"] == 4


def test_a_command_is_measured_and_its_failure_is_told() -> None:
    found = spent([sys.executable, "-S", "-c", "x = bytearray(30_000_000)"])
    assert found["wall"] > 0
    assert found["bytes"] > 30e6
    with pytest.raises(RuntimeError, match="ended with 3: gone wrong"):
        spent([sys.executable, "-S", "-c", "import sys; sys.stderr.write('gone wrong'); sys.exit(3)"])


def test_memory_of_the_one_who_measures_is_not_counted() -> None:
    held = b"x" * 400_000_000
    assert spent([sys.executable, "-S", "-c", "pass"])["bytes"] < 200e6
    assert len(held) == 400_000_000


def test_the_models_part_prints_its_table_and_appends_one_line(tmp_path, capsys) -> None:
    target = tmp_path / "deep" / "speed.jsonl"
    for _ in range(2):
        assert speed.main(["--quick", "--only", "models", "--threads", "1", "--results", str(target)]) == 0
    entry = [json.loads(line) for line in target.read_text().splitlines()][-1]
    assert entry["quick"] is True
    assert [row["what"] for row in entry["models"]] == [
        "training, all losses", "training, all losses", "scoring with divergence", "scoring, reconstruction only",
        "share of a matrix product's speed",
    ]  # fmt: skip
    assert {"date", "machine", "versions", "threads", "load"} <= set(entry)
    assert "| scoring with divergence | 8 |" in capsys.readouterr().out
    assert len(target.read_text().splitlines()) == 2


def test_a_team_is_compared_with_one_process(tmp_path, capsys) -> None:
    target = tmp_path / "speed.jsonl"
    assert speed.main(["--quick", "--only", "team", "--threads", "2", "--results", str(target)]) == 0
    (row,) = json.loads(target.read_text())["team"]
    assert min(row["one"], row["team"]) > 0
    assert row["ratio"] == pytest.approx(row["team"] / row["one"])
    assert "| quick |" in capsys.readouterr().out


def test_the_curves_have_a_line_for_every_place(tmp_path, capsys) -> None:
    target = tmp_path / "speed.jsonl"
    assert speed.main(["--quick", "--only", "curves", "--threads", "1", "--results", str(target)]) == 0
    places = {(one["axis"], one["work"]) for one in json.loads(target.read_text())["curves"] if one["who"] == "AMAD"}
    assert places == {(axis, work) for axis in ("window", "channels") for work in ("training", "scoring")} | {
        ("rows", "scoring")
    }
    out = capsys.readouterr().out
    assert out.count("\n| window | 50 |") == out.count("\n| channels | 1 |") == 2


def test_six_sizes_are_fits_that_can_be_made() -> None:
    from amad.config import make_config

    assert len(SIX) == 6
    for rows, channels, given in SIX:
        config = make_config(given["preset"], {name: value for name, value in given.items() if name != "preset"})
        assert rows >= 2 * config.window
        assert channels >= 1
    assert made(50, 3).shape == (50, 3)
