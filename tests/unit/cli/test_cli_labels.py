"""`amad labels`: files out and in, what a form cannot hold, and refusals in one message."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amad.cli import main
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A file and a workspace that holds it as series "pump" with two labels."""
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "ws"))
    file = tmp_path / "pump.csv"
    frame = pd.DataFrame({"time": pd.date_range("2024-03-01", periods=50, freq="min"), "flow": np.arange(50) % 7 + 0.5})
    frame.to_csv(file, index=False)
    (tmp_path / "none.csv").write_text("start,end\n2024-03-01 00:10:00,2024-03-01 00:12:00\n")
    assert main(["labels", "import", str(file), str(tmp_path / "none.csv"), "--author", "Ada", "--type", "Drift"]) == 0
    store = Workspace.open()
    Incidents(store, "pump", "Ada").add(20, 21, "Spike", note="=1+1")
    store.close()
    return tmp_path, file


def test_labels_go_out_and_come_back_the_same(made, capsys):
    folder, _ = made
    target = folder / "labels.csv"
    assert main(["labels", "export", "pump", "-o", str(target)]) == 0
    assert "does not hold: the history of changes" in capsys.readouterr().err
    head, *lines = target.read_text().splitlines()
    assert head == (
        "id,start_row,end_row,start,end,type,severity,channels,status,confidence,author,note,created,changed"
    )
    assert [line.split(",")[1:6] for line in lines] == [
        ["10", "13", "2024-03-01 00:10:00", "2024-03-01 00:12:00", "Drift"],
        ["20", "21", "2024-03-01 00:20:00", "2024-03-01 00:20:00", "Spike"],
    ]
    assert "'=1+1" in lines[1]
    assert main(["labels", "import", "pump", str(target), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert {name: counts[name] for name in ("added", "changed", "same")} == {"added": 0, "changed": 0, "same": 2}


def test_a_dry_run_changes_nothing(made, capsys):
    folder, _ = made
    (folder / "more.json").write_text('[["2024-03-01 00:40:00", "2024-03-01 00:41:00"]]')
    assert main(["labels", "import", "pump", str(folder / "more.json"), "--dry-run"]) == 0
    assert capsys.readouterr().out == '"pump", windows (JSON): would be 1 new, 0 changed, 0 already here.\n'
    store = Workspace.open()
    assert len(Incidents(store, "pump", "x").all()) == 2
    store.close()


def test_the_original_file_keeps_its_lines(made):
    folder, file = made
    target = folder / "with.csv"
    call = ["labels", "export", "pump", "-o", str(target), "--format", "column", "--original", str(file)]
    assert main(call) == 0
    before, after = file.read_text().splitlines(), target.read_text().splitlines()
    assert after[0] == before[0] + ",label,label_type"
    assert all(new.startswith(old + ",") for old, new in zip(before, after, strict=True))
    assert [new.rsplit(",", 2)[1] for new in after[1:]] == [str(int(row in (10, 11, 12, 20))) for row in range(50)]


def test_what_does_not_fit_is_told_at_once_and_nothing_is_taken(made, capsys):
    folder, _ = made
    bad = folder / "bad.csv"
    bad.write_text(
        "id,start_row,end_row,type,severity,status\na,10,5,Spike,1,open\nb,1,2,Spike,many,open\nc,1,99,Spike,1,odd\n"
    )
    assert main(["labels", "import", "pump", str(bad)]) == 2
    said = capsys.readouterr().err
    for part in (
        "bad.csv:",
        "line 2: rows 10 to 5",
        'line 3, severity: "many"',
        "line 4: rows 1 to 99",
        "Nothing was taken in.",
    ):
        assert part in said
    assert main(["labels", "import", "pump", str(folder / "no.csv")]) == 2
    assert "There is no file" in capsys.readouterr().err
