"""The benchmark of the maps: what it says of its times, and that it makes a run that pages can look into. No figure is asserted."""

from pathlib import Path

from amad.workspace import Workspace
from benchmarks.maps import BARS, WORDS, made, summary


def test_a_measure_is_under_its_bar_by_its_95th_percentile() -> None:
    slow = [10.0] * 90 + [60.0] * 10
    lines = {line["what"]: line for line in summary({"hover maps": slow, "hover signals": [10.0] * 99 + [60.0]})}
    assert lines["hover maps"]["median_ms"] == 10.0
    assert lines["hover maps"]["p95_ms"] == 60.0
    assert not lines["hover maps"]["under"]
    assert lines["hover signals"]["under"]
    assert set(BARS) == set(WORDS)


def test_its_run_has_windows_as_long_as_asked_for(tmp_path: Path) -> None:
    address = made(tmp_path / "workspace", 60, 2, 600, 2)
    store = Workspace.open(tmp_path / "workspace")
    record = store.series()[0]
    (run,) = store.runs(record.id)
    assert address == f"series={record.id}&run={run.id}"
    assert run.config["window"] == 60
    assert (store.run_folder(run.id) / "detection.safetensors").is_file()
    store.close()
