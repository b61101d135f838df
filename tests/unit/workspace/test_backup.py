"""A backup holds all that the database names, whole and checked; what comes back is what was there, and nothing else."""

import hashlib
import json
import os
import shutil
import zipfile

import pytest

from amad.config import make_config
from amad.errors import AccessError, CheckpointError, InputError
from amad.workspace import Workspace, audit
from amad.workspace.access import Actor, Role
from amad.workspace.backup import back_up
from amad.workspace.checking import check
from amad.workspace.restoring import restore
from amad.workspace.tables import RunRow


@pytest.fixture
def full(workspace, make_series, make_scores, finish):
    """A workspace with a series, a finished run with scores, one that waits, and labels."""
    record = workspace.add_series(make_series(rows=600))
    run = finish(workspace, workspace.create_run(record.id, name="night", config=make_config("quick")))
    workspace.write_scores(run.id, record.id, make_scores(600, ("flow", "heat")))
    workspace.create_run(record.id, name="waiting", config=make_config("quick"))
    workspace.incidents(record.id, "Ada").add(3, 5, "Spike", note="dry")
    return workspace


@pytest.fixture(params=["backup.zip", "backup"])
def target(request, tmp_path):
    return tmp_path / request.param


def held(folder):
    """Every file of the folders that belong to the database, by its digest."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in ("series", "runs", "scores")
        for path in (folder / kind).rglob("*")
        if path.is_file()
    }


def test_everything_comes_back(full, target, tmp_path):
    seen = []
    made = back_up(full, target, lambda done, total: seen.append((done, total)))
    assert (made.series, made.runs, made.labels, made.database, made.missing) == (1, 2, 1, "sqlite", [])
    assert seen[-1][0] == seen[-1][1] == made.bytes
    assert target.stat().st_mode & 0o077 == 0, "for its owner alone"
    again = restore(target, tmp_path / "new")
    assert (again.series, again.runs, again.labels, again.files) == (1, 2, 1, made.files)
    there = Workspace.open(tmp_path / "new")
    assert held(there.path) == held(full.path)
    assert check(there, deep=True) == []
    assert {(run.id, run.name, run.state) for run in there.runs()} == {
        (run.id, run.name, run.state) for run in full.runs()
    }
    (label,) = there.incidents("pump", "Bob").all()
    assert (label.start_row, label.note, label.author) == (3, "dry", "Ada")
    assert there.secret != full.secret, "whoever signed in here is not signed in there"
    there.close()
    assert [(one.action, one.name) for one in audit.entries(full)][-1] == ("backed up", target.name)
    assert list((full.path / "tmp").iterdir()) == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_is_worked_on_comes_back_as_lost_and_holds_no_process(full, target, tmp_path):
    run = full.find_run("waiting")
    full.states.claim(RunRow, run.id)  # this process
    (full.run_folder(run.id) / ".reserve").write_bytes(b"0")
    (full.run_folder(run.id) / "config.json.part").write_bytes(b"{")
    back_up(full, target)
    assert full.find_run("waiting").state == "running"
    restore(target, tmp_path / "new")
    there = Workspace.open(tmp_path / "new")
    found = there.find_run("waiting")
    assert (found.state, found.pid) == ("lost", None)
    assert found.error == "It was being worked on when the backup was made; it can be resumed."
    assert there.states.last_holder(RunRow, run.id) is None
    assert not there.run_folder(run.id).exists(), "what is half-written, or set aside, stays out"
    assert there.states.claim(RunRow, run.id, states=("lost",)) is not None
    there.close()


def test_what_is_not_in_the_database_stays_out(full, target, tmp_path):
    shutil.copytree(full.path / "runs", full.path / "runs" / "abcd1234")
    (full.path / "lost+found").mkdir()
    (full.path / "amad.sqlite.schema-0001.20260101T000000Z.copy").write_bytes(b"old")
    back_up(full, target)
    restore(target, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["amad.sqlite", "runs", "scores", "series"]
    assert not (tmp_path / "new" / "runs" / "abcd1234").exists()


def test_a_run_that_has_lost_its_folder_is_told(full, target):
    run = full.find_run("night").id
    shutil.rmtree(full.run_folder(run))
    assert back_up(full, target).missing == [f"runs/{run}"]


def test_a_series_that_grows_meanwhile_has_the_rows_that_lie_there(full, target, tmp_path, monkeypatch):
    """The database is copied first; a watch may put a longer series in place before its folder is copied."""
    from amad.workspace import backup, growing

    link_all, record = backup._link_all, full.find_series("pump")

    def grown(*arguments):
        longer = full.open_series("pump")
        import numpy as np
        import pandas as pd

        values = np.vstack([longer.values, longer.values[:40]])
        time = pd.date_range(longer.time[0], periods=640, freq="min")
        columns = full.scores_columns("night", "pump")
        scores = np.vstack([columns.values.T, columns.values.T[:40]])
        new = type(longer)(name="pump", values=values, channels=longer.channels, time=time)
        growing.grow(full, record, new, full.find_run("night").id, columns.names, scores, "pump")
        return link_all(*arguments)

    monkeypatch.setattr(backup, "_link_all", grown)
    back_up(full, target)
    restore(target, tmp_path / "new")
    there = Workspace.open(tmp_path / "new")
    assert there.find_series("pump").rows == there.open_series("pump").rows == 640
    assert check(there, deep=True) == []
    assert len(there.incidents("pump", "Bob").all()) == 1
    there.close()


def test_a_series_that_is_deleted_meanwhile_is_not_in_it(full, target, tmp_path, monkeypatch, make_series):
    from amad.workspace import backup

    other = full.add_series(make_series("tank", rows=50))
    link_all = backup._link_all

    def deleting(*arguments):
        if full.has_series(other.id):
            full.delete_series(other.id)
        return link_all(*arguments)

    monkeypatch.setattr(backup, "_link_all", deleting)
    made = back_up(full, target)
    assert (made.series, made.missing) == (1, [])
    restore(target, tmp_path / "new")
    there = Workspace.open(tmp_path / "new")
    assert [one.name for one in there.series()] == ["pump"]
    assert check(there, deep=True) == []
    there.close()


def test_places_that_are_taken_are_refused(full, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    for wrong, words in (
        (tmp_path / "there", "is there already. Give the name of a new folder"),
        (tmp_path / "none" / "x.zip", "There is no folder"),
    ):
        with pytest.raises(InputError, match=words):
            back_up(full, wrong)
    back_up(full, tmp_path / "x.zip")
    with pytest.raises(InputError, match=r"is not empty\. Restore into a new folder; nothing was changed"):
        restore(tmp_path / "x.zip", tmp_path / "there")
    with pytest.raises(InputError, match="There is no backup"):
        restore(tmp_path / "none.zip", tmp_path / "new")
    assert (tmp_path / "there" / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "x.zip", tmp_path / "empty")
    assert (tmp_path / "empty" / "amad.sqlite").is_file()


def test_only_an_admin_makes_one(full, tmp_path):
    with pytest.raises(AccessError):
        back_up(full.acting(Actor("Ann", Role.ANALYST)), tmp_path / "x.zip")


def test_a_damaged_backup_is_refused_and_leaves_nothing(full, target, tmp_path):
    back_up(full, target)
    if target.is_dir():
        file = next(target.rglob("columns.f32"))
        content = bytearray(file.read_bytes())
        content[7] ^= 1
        file.write_bytes(content)
    else:
        content = bytearray(target.read_bytes())
        content[len(content) // 2] ^= 1
        target.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is not a backup that can be restored: .* Nothing was restored"):
        restore(target, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


EVIL = ["../evil", "/etc/evil", "series/../../evil", "series/abcd1234/..", "amad.sqlite/x", "runs/abcd1234", "other/abcd/x",
        "series\\abcd\\x", "runs/XYZ/config.json", "scores/abcd1234/x", "secret", "series/abcd1234/a/b/c/d"]  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_a_backup_that_names_other_places_is_refused(full, tmp_path, name):
    back_up(full, tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as good, zipfile.ZipFile(tmp_path / "evil.zip", "w") as evil:
        about = json.loads(good.read("backup.json"))
        about["files"][name] = {"bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
        for entry in good.namelist():
            evil.writestr(entry, json.dumps(about) if entry == "backup.json" else good.read(entry))
        evil.writestr(name, b"evil")
    with pytest.raises(CheckpointError, match="does not describe a workspace"):
        restore(tmp_path / "evil.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("fault", ["no list", "newer", "more files", "fewer files", "text", "links", "larger"])
def test_what_is_no_backup_is_refused(full, tmp_path, fault):
    back_up(full, tmp_path / "good")
    wrong, about = tmp_path / "good", json.loads((tmp_path / "good" / "backup.json").read_text())
    if fault == "no list":
        (wrong / "backup.json").unlink()
    elif fault == "newer":
        (wrong / "backup.json").write_text(json.dumps({**about, "schema": 9}))
    elif fault == "more files":
        (wrong / "series" / "more").write_text("")
    elif fault == "fewer files":
        next(wrong.rglob("columns.f32")).unlink()
    elif fault == "text":
        (wrong / "backup.json").write_text("not JSON")
    elif fault == "links":
        file = next(wrong.rglob("columns.f32"))
        file.unlink()
        file.symlink_to("/etc/hostname")
    else:
        with next(wrong.rglob("columns.f32")).open("ab") as file:
            file.write(bytes(100))
    with pytest.raises(CheckpointError) as error:
        restore(wrong, tmp_path / "new")
    assert str(error.value).startswith(str(wrong))
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_told_before_anything_is_written(full, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(InputError, match=r"the disk of .* has 5 left. Nothing was written"):
        back_up(full, tmp_path / "x.zip")
    assert os.listdir(tmp_path) == ["ws"]
