"""A workspace of an earlier schema opens with all that is in it; one that cannot be upgraded stays as it was."""

import hashlib
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from amad.errors import CheckpointError
from amad.workspace import Workspace, copies
from amad.workspace.checking import check
from amad.workspace.database import HEAD, Database, sqlite_url
from tests.old_workspaces import SCHEMAS, unpack

OPEN = "import sys; from amad.workspace import Workspace; Workspace.open(sys.argv[1]).close()"


@pytest.fixture(autouse=True)
def no_address(monkeypatch):
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)


@pytest.fixture(params=SCHEMAS)
def old(request, tmp_path):
    return request.param, *unpack(request.param, tmp_path)


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f4").tobytes()).hexdigest()


def dump(file):
    """Everything that a database holds, as text."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_there_is_a_workspace_of_each_earlier_schema():
    assert [f"{number:04}" for number in range(1, int(HEAD))] == SCHEMAS


def test_everything_in_it_is_there_after_the_upgrade(old):
    _, path, wanted = old
    workspace = Workspace.open(path)
    assert workspace.database.version() == HEAD
    found = {}
    for one in workspace.series():
        series = workspace.open_series(one.id)
        found[one.name] = {
            "id": one.id, "rows": one.rows, "part": list(one.part) if one.part else None, "values": digest(series.values),
            "times": series.time.asi8[[0, -1]].tolist(),
        }  # fmt: skip
        assert series.labels is not None
        assert len(workspace.series_columns(one.id).buckets([0, 1, 2], 0, one.rows, 16).lo[0]) > 10
    assert found == wanted["series"]
    assert {one.name: {"id": one.id, "state": one.state} for one in workspace.runs()} == wanted["runs"]
    for name, scores in wanted["scores"].items():
        columns = workspace.scores_columns("night", name)
        columns.check()
        assert {"names": list(columns.names), "values": digest(columns.values)} == scores
    assert [one.state for one in workspace.scorings("night")] == ["done"]
    labels = workspace.incidents("pump", "Bob")
    said = [[one.start_row, one.end_row, one.type, one.note, list(one.channels), one.author] for one in labels.all()]
    assert said == wanted["labels"]
    assert check(workspace, deep=True) == []
    workspace.close()


def test_it_can_be_worked_in_after_the_upgrade(old):
    _, path, wanted = old
    workspace = Workspace.open(path)
    labels = workspace.incidents("pump", "Bob")
    labels.add(10, 12, "Spike")
    assert len(labels.all()) == len(wanted["labels"]) + 1
    run = (
        workspace.trash_run("waiting") if workspace.find_run("waiting").state == "done" else workspace.find_run("night")
    )
    assert workspace.tag_run(run.id, ["old"]).tags == ("old",)
    workspace.close()


def test_a_copy_of_the_old_database_stays_beside_it(old):
    schema, path, _ = old
    before = dump(path / "amad.sqlite")
    Workspace.open(path).close()
    (copy,) = copies.kept_copies(path / "amad.sqlite")
    assert re.fullmatch(rf"amad\.sqlite\.schema-{schema}\.\d{{8}}T\d{{6}}Z\.copy", copy.name)
    assert dump(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    Workspace.open(path).close()
    assert copies.kept_copies(path / "amad.sqlite") == [copy], "nothing to upgrade, nothing to copy"


def test_only_the_newest_three_copies_stay(tmp_path):
    path, _ = unpack("0001", tmp_path)
    made = [copies.keep_before_migration(path / "amad.sqlite", "0001") for _ in range(5)]
    assert copies.kept_copies(path / "amad.sqlite") == made[-3:]


@pytest.mark.parametrize(("schema", "table"), [("0001", "incidents"), ("0002", "watches"), ("0001", "audit")])
def test_a_step_that_fails_leaves_the_old_database_as_it_was(tmp_path, schema, table):
    path, _ = unpack(schema, tmp_path)
    file = path / "amad.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE " + table + " (other INTEGER)")
        connection.commit()
    before = dump(file)
    with pytest.raises(CheckpointError) as error:
        Workspace.open(path)
    (copy,) = copies.kept_copies(file)
    assert str(error.value) == (
        f"The workspace database sqlite:///{file} could not be brought from schema {schema} to {HEAD} "
        f"(table {table} already exists). It is as it was. A copy of it is {copy}. Make room where the disk is full; "
        "otherwise open it with the AMAD that made it, and tell its maintainers."
    )
    assert dump(file) == before
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE " + table)
        connection.commit()
    Workspace.open(path).close()
    assert Database(sqlite_url(file)).version() == HEAD


def test_processes_that_open_an_old_workspace_at_once_all_succeed(tmp_path):
    path, _ = unpack("0001", tmp_path)
    started = [subprocess.Popen([sys.executable, "-c", OPEN, path], stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert len(copies.kept_copies(path / "amad.sqlite")) == 1
