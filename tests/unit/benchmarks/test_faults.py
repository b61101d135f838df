"""The benchmark of faults runs in each of its parts, finds nothing lost, and writes its line."""

import json

import pytest

from benchmarks.faults import __main__ as faults
from benchmarks.faults.common import Line


@pytest.mark.slow
@pytest.mark.parametrize("part", ["disk", "memory"])  # the others take longer; tests/faults holds what they do
def test_a_part_with_small_numbers_loses_nothing(part, monkeypatch, tmp_path, capsys):
    for name in ("AMAD_ENGINE", "AMAD_CHECKPOINT_SECONDS", "AMAD_DATABASE_URL"):
        monkeypatch.setenv(name, "")  # put back afterwards
    monkeypatch.setattr(faults, "RESULTS", tmp_path / "results" / "faults.jsonl")
    assert faults.main(["--only", part, "--kills", "3", "--scoring-kills", "3", "--locked", "3"]) == 0
    found = json.loads((tmp_path / "results" / "faults.jsonl").read_text())
    assert {line["part"] for line in found["lines"]} == {part}
    assert part in capsys.readouterr().out


def test_what_is_lost_fails_the_benchmark(monkeypatch, tmp_path, capsys):
    from benchmarks.faults import clock

    monkeypatch.setattr(faults, "RESULTS", tmp_path / "faults.jsonl")
    for name in ("AMAD_ENGINE", "AMAD_CHECKPOINT_SECONDS", "AMAD_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(clock, "measure", lambda folder, options: [Line("clock", "a clock", 1, 1, "lost")])
    assert faults.main(["--only", "clock"]) == 1
    assert "clock     a clock      1     1  lost" in capsys.readouterr().out
