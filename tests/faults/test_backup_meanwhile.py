"""A backup while real processes label and train: it opens, it is sound, and all that was confirmed before it is in it."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from sqlalchemy import text

from amad.cli import main
from amad.config import make_config
from amad.errors import InputError
from amad.jobs.work import work
from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.backup import back_up
from amad.workspace.checking import check
from amad.workspace.restoring import restore
from amad.workspace.tables import RunRow

LABEL = """
import sys, threading
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
labels = Incidents(Workspace.open(sys.argv[1]), "pump", sys.argv[2])
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
for row in range(int(sys.argv[3]), 10**6, 4):
    labels.add(row, row + 1, "Spike")
    print(row, flush=True)
    if over.is_set():
        break
"""
TRAIN = """
import sys
from amad.jobs.work import work
from amad.workspace import Workspace
from amad.workspace.tables import RunRow
workspace = Workspace.open(sys.argv[1])
said = []
def tell(progress):
    if progress.stage == "training" and progress.step >= 10 and not said:
        said.append(print("training", flush=True))
work(workspace, workspace.states.claim(RunRow, sys.argv[2]), on_progress=tell)
"""


def started(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["backup.zip", "backup"])
def test_labels_and_a_training_go_on_during_a_backup(workspace, run, tmp_path, name):
    workspace.add_series(Series("pump", np.zeros((100_000, 1), dtype=np.float32), ("flow",)))
    long = workspace.create_run(run.series_id, name="long", config=long_config(run), part=(0, 300))
    trainer = started(TRAIN, workspace.path, long.id)
    people = [started(LABEL, workspace.path, f"person{number}", number) for number in range(3)]
    confirmed = {int(person.stdout.readline()) for person in people for _ in range(4)}
    assert trainer.stdout.readline() == "training\n"
    said: list[str] = []
    readers = [threading.Thread(target=lambda person=person: said.extend(person.stdout)) for person in people]
    for reader in readers:
        reader.start()
    before = len(said)
    assert workspace.find_run(long.id).state == "running"
    made = [back_up(workspace, tmp_path / f"{number} {name}") for number in range(3)]
    assert len(said) > before, "people went on meanwhile"
    assert workspace.find_run(long.id).state == "running", "so did the training"
    trainer.kill()
    trainer.communicate()
    for person in people:
        person.stdin.close()
    for person, reader in zip(people, readers, strict=True):
        reader.join()
        assert person.wait() == 0
        person.stdout.close()
    for number, one in enumerate(made):
        folder = tmp_path / f"restored {number}"
        restore(one.path, folder)
        there = Workspace.open(folder)
        labels = {label.start_row for label in there.incidents("pump", "reader").all()}
        assert confirmed <= labels
        assert one.labels == len(labels)
        assert check(there, deep=True) == []
        assert there.find_run(long.id).state == "lost"
        there.close()
    there = Workspace.open(tmp_path / "restored 2")
    assert there.states.move(RunRow, long.id, "queued")
    asked, seen = threading.Event(), []

    def stop(progress):
        if progress.stage == "training":
            seen.append(progress.step)
            asked.set()

    assert work(there, there.states.claim(RunRow, long.id), on_progress=stop, asked=asked).state == "stopped"
    assert seen[0] > 10, "it goes on from its checkpoint"
    assert "resumed at optimiser step" in (there.run_folder(long.id) / "log.txt").read_text()
    there.close()


def long_config(run):
    return make_config("balanced", {**run.config, "max_steps": 20_000, "epochs": 10_000})


def test_a_full_disk_leaves_no_backup_and_one_message(small_disk, workspace, run, capsys):
    values = np.random.default_rng(0).normal(size=(600_000, 4)).astype(np.float32)
    workspace.add_series(Series("large", values, ("a", "b", "c", "d")))
    code = main(["--workspace", str(workspace.path), "backup", str(small_disk / "x.zip")])
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert "Nothing was written. Make room there" in said
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_leaves_no_backup(small_disk, workspace, run, monkeypatch):
    from amad.workspace import backup

    monkeypatch.setattr(backup, "_check_room", lambda *_: None)
    values = np.random.default_rng(0).normal(size=(600_000, 4)).astype(np.float32)
    workspace.add_series(Series("large", values, ("a", "b", "c", "d")))
    for name in ("x.zip", "folder"):
        with pytest.raises(
            InputError, match=r"the backup cannot be written \(No space left on device\). Nothing was kept"
        ):
            back_up(workspace, small_disk / name)
        assert list(small_disk.iterdir()) == []
    assert list((workspace.path / "tmp").iterdir()) == []


def test_with_postgresql_the_files_are_backed_up_and_the_dump_is_asked_for(server, tmp_path, monkeypatch, capsys):
    address = server.fresh()
    monkeypatch.setenv("AMAD_DATABASE_URL", address)
    store = Workspace.open(tmp_path / "ws")
    store.add_series(Series("pump", np.ones((50, 1), dtype=np.float32), ("flow",)))
    assert main(["--workspace", str(store.path), "backup", str(tmp_path / "x.zip")]) == 0
    assert "The database (postgresql) is not in it: take a dump of it as well, with pg_dump" in capsys.readouterr().err
    dump = tmp_path / "dump.sql"
    subprocess.run([server.programs / "pg_dump", "--no-owner", "-f", dump, address.replace("+psycopg", "")], check=True)
    assert main(["--workspace", str(tmp_path / "new"), "backup", "--restore", str(tmp_path / "x.zip")]) == 0
    assert "restore the dump that was taken with it" in capsys.readouterr().err
    other = server.fresh()
    subprocess.run([server.programs / "psql", "-q", "-f", dump, other.replace("+psycopg", "")], check=True)
    monkeypatch.setenv("AMAD_DATABASE_URL", other)
    there = Workspace.open(tmp_path / "new")
    assert there.open_series("pump").values.sum() == 50
    with there.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM series")).scalar() == 1
    assert check(there, deep=True) == []
    there.close()
    store.close()
