"""Holds the database for half a minute from another process while people label and a run trains; nothing may be lost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from amad import jobs
from benchmarks.faults.common import Line, Options, begun, content, finish, new_run, resume, start, state_of, tell

PEOPLE = 4
HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
"""
LABEL = """
import sys, time
from amad.errors import AmadError
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
labels = Incidents(Workspace.open(sys.argv[1]), sys.argv[2], sys.argv[3])
until = time.monotonic() + float(sys.argv[5])
for row in range(int(sys.argv[4]), 1196, 4):
    try:
        labels.add(row, row + 1, "Spike")
        print(row, flush=True)  # the confirmation: only after the commit
    except AmadError as error:
        print("refused", error, flush=True)
    if time.monotonic() > until:
        break
    time.sleep(0.05)
"""


def measure(folder: Path, options: Options) -> list[Line]:
    """Four people label and a run trains, before, while and after another process holds the database."""
    workspace, record, unbroken = begun(folder)
    run = new_run(workspace, record, "locked out")
    tell(f"locked: for {options.locked:.0f} s")
    people = [
        subprocess.Popen(
            [sys.executable, "-c", LABEL, str(folder), record.id, f"person {one}", str(one), str(options.locked + 5)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for one in range(PEOPLE)
    ]
    firsts = [person.stdout.readline() for person in people if person.stdout is not None]  # all are at work
    worker = start(workspace, run)
    time.sleep(1)
    file = workspace.database.file()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file), str(options.locked)], stdout=subprocess.PIPE, text=True
    )
    holder.communicate()
    said = [first + person.communicate()[0] for first, person in zip(firsts, people, strict=True)]
    worker.join()
    words = [line for one in said for line in one.splitlines()]
    confirmed = {int(line) for line in words if line.isdigit()}
    refused = [line for line in words if line.startswith("refused")]
    odd = [line for line in refused if "is locked by another process" not in line]
    crashed = sum(person.returncode != 0 for person in people)
    there = {one.start_row for one in workspace.incidents(record.id, "reader").all()}
    lost = confirmed - there
    found = Line(
        "locked", f"database held for {options.locked:.0f} s while {PEOPLE} people label", len(confirmed) + len(refused),
        len(lost) + len(odd) + crashed + len(there - confirmed),
        f"{len(confirmed)} confirmed, {len(lost)} lost, {len(refused)} refused with a clear message, {crashed} sessions ended",
    )  # fmt: skip
    jobs.refresh(workspace)
    first = state_of(workspace, run)
    if first != "done":
        resume(workspace, run)
        finish(workspace, run)
    equal = state_of(workspace, run) == "done" and content(workspace, run) == content(workspace, unbroken)
    workspace.close()
    return [
        found,
        Line("locked", "and a run trains", 1, int(not equal), f"{first}; {'equal' if equal else 'other'} bits"),
    ]
