"""The scale benchmarks' harness: they run and print their rows. No figure of any machine is asserted."""

import json
from pathlib import Path

import pytest

from benchmarks import many, scale


@pytest.mark.slow
def test_scoring_prints_a_row_for_each_number_of_rows(capsys: pytest.CaptureFixture[str]) -> None:
    scale.scoring([21_000, 22_000])
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("| 21,000 |")
    assert lines[4].startswith("| 22,000 |")
    assert lines[5].startswith("1 times the rows: ")


@pytest.mark.slow
def test_many_measures_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(many, "RESULTS", tmp_path / "results" / "many.jsonl")
    monkeypatch.setattr(many, "BAR", 600.0)
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "other"))  # set back when the test ends
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    assert many.main(["--series", "12", "--runs", "3", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert all(f"| {name} |" in out for name in many.PAGES)
    assert "12 series, 3 runs, 1 scorings" in out
    (line,) = (tmp_path / "results" / "many.jsonl").read_text().splitlines()
    assert json.loads(line)["benchmark"] == "many"
