"""An upgrade of the schema on a full disk, and one that fails on PostgreSQL: the database stays as it was."""

import contextlib
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import create_engine, inspect, text

from amad.errors import CheckpointError, InputError
from amad.workspace import Workspace, database
from tests.old_workspaces import unpack


def dump(file):
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def fill(place, leave):
    with contextlib.suppress(OSError), (place / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    size = (place / "filler").stat().st_size
    with (place / "filler").open("r+b") as filler:
        filler.truncate(size - leave)


@pytest.mark.parametrize("room", ["for nothing", "for the copy alone"])
def test_a_full_disk_leaves_the_old_database_as_it_was(small_disk, monkeypatch, room):
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    path, wanted = unpack("0001", small_disk)
    file = path / "amad.sqlite"
    before = dump(file)
    fill(small_disk, 0 if room == "for nothing" else file.stat().st_size + (1 << 16))
    with pytest.raises((InputError, CheckpointError)) as error:
        Workspace.open(path)
    assert "full" in str(error.value) or "No space left" in str(error.value)
    (small_disk / "filler").unlink()
    assert dump(file) == before
    assert list(path.rglob("*.part*")) == []
    workspace = Workspace.open(path)
    assert {one.name for one in workspace.series()} == set(wanted["series"])
    workspace.close()


def test_a_step_that_fails_on_postgresql_leaves_the_old_schema(server, tmp_path, monkeypatch):
    address = server.fresh()
    monkeypatch.setenv("AMAD_DATABASE_URL", address)
    Workspace.open(tmp_path / "ws").close()
    from alembic import command
    from alembic.config import Config

    engine = create_engine(address)
    settings = Config()
    settings.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0002")
        connection.execute(text("CREATE TABLE audit (other INTEGER)"))  # what the last step makes
    with pytest.raises(CheckpointError, match=r"could not be brought from schema 0002 to .* already exists"):
        Workspace.open(tmp_path / "ws")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
        assert "watches" not in inspect(connection).get_table_names(), "an earlier step was kept"
        connection.execute(text("DROP TABLE audit"))
    engine.dispose()
    opened = Workspace.open(tmp_path / "ws")
    assert opened.database.version() == database.HEAD
    opened.close()
