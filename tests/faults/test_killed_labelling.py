"""SIGKILL in the middle of labelling: what was confirmed after its commit is there afterwards, and undo still walks it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents

LABEL = """
import sys
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
labels = Incidents(Workspace.open(sys.argv[1]), "pump", sys.argv[2])
for row in range(int(sys.argv[3]), 10**6, 4):
    labels.add(row, row + 2, "Spike")
    print(row, flush=True)  # the confirmation: only after the commit
"""


@pytest.mark.parametrize("wanted", [12])
def test_no_confirmed_label_is_lost_when_four_sessions_are_killed(tmp_path: Path, monkeypatch, wanted: int) -> None:
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    store = Workspace.open(tmp_path / "ws")
    store.add_series(Series("pump", np.zeros((100_000, 1), dtype=np.float32), ("flow",)))
    people = [
        subprocess.Popen(
            [sys.executable, "-c", LABEL, str(tmp_path / "ws"), f"person{number}", str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    confirmed: dict[str, list[int]] = {}
    for number, person in enumerate(people):
        assert person.stdout is not None
        rows = [int(person.stdout.readline()) for _ in range(wanted)]
        person.kill()  # SIGKILL, while the next label is being written
        rows += [int(line) for line in person.stdout.read().split("\n") if line.strip()]
        person.wait()
        person.stdout.close()
        confirmed[f"person{number}"] = rows
    for name, rows in confirmed.items():
        labels = Incidents(store, "pump", name)
        there = {one.start_row for one in labels.all() if one.author == name}
        assert set(rows) <= there
        assert len(there) - len(rows) <= 1, "at most the one that was being written"
        action = labels.undo()
        assert action is not None
        assert len([one for one in labels.all() if one.author == name]) == len(there) - 1
    store.close()
