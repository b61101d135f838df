"""Eight processes write at once, on SQLite and PostgreSQL, and the server is started anew meanwhile: nothing is lost."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sqlalchemy import text

from amad.config import make_config
from amad.errors import InputError
from amad.series import Series
from amad.workspace import Workspace, database
from amad.workspace.incidents import Incidents

WRITERS = 8
# labels and renames a run of its own until told to end; says what was confirmed, and what was refused in words
WRITE = """
import sys, threading
from amad.errors import AmadError
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents

workspace = Workspace.open(sys.argv[1])
number = int(sys.argv[2])
labels = Incidents(workspace, "pump", f"person{number}")
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
for row in range(number, 10**6, 8):
    try:
        labels.add(row, row + 1, "Spike", note=str(row))
        print("label", row, flush=True)
        workspace.tag_run(f"run {number}", [str(row)])
        print("tag", row, flush=True)
        workspace.runs()
    except AmadError as error:
        print("refused", type(error).__name__, error, flush=True)
    if over.is_set():
        break
"""


def prepared(folder) -> Workspace:
    workspace = Workspace.open(folder)
    record = workspace.add_series(Series("pump", np.zeros((100_000, 1), dtype=np.float32), ("flow",)))
    for number in range(WRITERS):
        workspace.create_run(record.id, name=f"run {number}", config=make_config("quick"))
    return workspace


def write(folder, meanwhile) -> list[list[str]]:
    """What eight processes said that wrote while something else was done."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    firsts = [writer.stdout.readline() for writer in writers]  # all of them are at work
    meanwhile()
    for writer in writers:
        writer.stdin.close()
    said = [(first + writer.stdout.read()).splitlines() for first, writer in zip(firsts, writers, strict=True)]
    for writer in writers:
        writer.stdout.close()
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    return said


def assert_nothing_lost(workspace, said, unsure=0):
    """All that was confirmed is there, whole, and nothing else but what was refused while it was being confirmed."""
    there = {one.start_row: one for one in Incidents(workspace, "pump", "reader").all()}
    confirmed = {int(line.split()[1]) for lines in said for line in lines if line.startswith("label")}
    assert len(confirmed) > 3 * WRITERS
    assert confirmed <= set(there)
    assert len(set(there) - confirmed) <= unsure
    for row, label in there.items():
        history = Incidents(workspace, "pump", "reader").history(label.id)
        assert (label.author, label.note, len(history)) == (f"person{row % 8}", str(row), 1)
    for number, lines in enumerate(said):
        tags = [line.split()[1] for line in lines if line.startswith("tag")]
        rows = [line.split()[1] for line in lines if line.startswith(("tag", "label"))]
        assert workspace.find_run(f"run {number}").tags[0] in {tags[-1], rows[-1]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_eight_writers_at_once_lose_nothing_and_see_no_lock(kind, request, tmp_path, monkeypatch):
    if kind == "sqlite":
        monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("AMAD_DATABASE_URL", request.getfixturevalue("server").fresh())
    workspace = prepared(tmp_path / "ws")
    said = write(tmp_path / "ws", lambda: time.sleep(3))
    assert [line for lines in said for line in lines if line.startswith("refused")] == []
    assert_nothing_lost(workspace, said)
    workspace.close()


@pytest.mark.slow
def test_a_server_that_is_started_anew_loses_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", server.fresh())
    workspace = prepared(tmp_path / "ws")
    workspace.runs()  # this process holds a connection that will break
    said = write(tmp_path / "ws", lambda: (time.sleep(1), server.restart(), time.sleep(2)))
    assert len(workspace.runs()) == WRITERS, "the next question takes a new connection"
    refused = [line for lines in said for line in lines if line.startswith("refused")]
    for line in refused:
        assert line.startswith("refused InputError The connection to the workspace database postgresql+psycopg://")
        assert line.endswith(("Nothing was changed. Try again.", "Look first, and try again where it is not."))
    assert len(refused) <= 2 * WRITERS
    assert_nothing_lost(workspace, said, unsure=sum("being confirmed" in line for line in refused))
    workspace.incidents("pump", "me").add(99_990, 99_991, "Spike")
    workspace.close()


def test_a_transaction_whose_server_goes_away_changes_nothing_and_says_so(server, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", server.fresh())
    workspace = prepared(tmp_path / "ws")

    def rename_two():
        with workspace.database.writing() as session:
            session.execute(text("UPDATE runs SET name = 'half' WHERE name = 'run 0'"))
            server.restart()
            session.execute(text("UPDATE runs SET name = 'other half' WHERE name = 'run 1'"))

    with pytest.raises(InputError) as error:
        rename_two()
    assert str(error.value).startswith(f"The connection to the workspace database {server.url}")
    assert str(error.value).endswith("Nothing was changed. Try again.")
    assert {run.name for run in workspace.runs()} == {f"run {number}" for number in range(WRITERS)}
    workspace.close()


def test_a_transaction_waits_for_a_server_that_comes_back(server, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", server.fresh())
    workspace = prepared(tmp_path / "ws")
    server.down()
    again = threading.Timer(1.0, server.up)
    again.start()
    workspace.tag_run("run 0", ["came back"])  # begins while nothing listens
    again.join()
    assert workspace.find_run("run 0").tags == ("came back",)
    workspace.close()


def test_a_server_that_stays_away_is_told(server, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", server.fresh())
    monkeypatch.setattr(database, "RECONNECT_SECONDS", 0.5)
    workspace = prepared(tmp_path / "ws")
    server.down()
    try:
        with pytest.raises(InputError, match="cannot be used"):
            workspace.runs()
    finally:
        server.up()
    assert len(workspace.runs()) == WRITERS
    workspace.close()
