"""The database: migrated on open by any number of processes, strict, and clear about what it cannot use."""

import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amad.errors import CheckpointError, ConfigError, InputError
from amad.workspace import Workspace, database
from amad.workspace.tables import Base, ScoringRow

OPEN = "import sys; from amad.workspace import Workspace; w = Workspace.open(sys.argv[1]); print(w.secret.hex())"


def test_head_is_the_newest_migration():
    settings = Config()
    settings.set_main_option("script_location", str(database._MIGRATIONS))
    assert ScriptDirectory.from_config(settings).get_current_head() == database.HEAD


def test_migrations_build_just_the_tables_of_the_code(workspace):
    with workspace.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert workspace.database.version() == database.HEAD


def test_wal_foreign_keys_and_busy_timeout_are_on(workspace):
    with workspace.database.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30000}


def test_rows_that_point_nowhere_are_refused(workspace):
    from datetime import UTC, datetime

    row = ScoringRow(id="1", run_id="none", series_id="none", state="queued", created=datetime.now(UTC), progress={})
    with pytest.raises(IntegrityError), workspace.database.writing() as session:
        session.add(row)


def test_processes_that_open_a_new_workspace_at_once_all_succeed(tmp_path):
    started = [
        subprocess.Popen([sys.executable, "-c", OPEN, tmp_path / "ws"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], ended
    assert len({out for out, _ in ended}) == 1  # one secret for all


def test_a_database_of_a_newer_amad_is_refused_and_left_alone(workspace):
    with workspace.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CheckpointError) as error:
        Workspace.open(workspace.path)
    assert str(error.value) == (
        f"The workspace database sqlite:///{workspace.path}/amad.sqlite has schema 9999; "
        f"this AMAD knows schemas up to {database.HEAD}. Use the newer AMAD that made it, or another workspace."
    )
    assert workspace.database.version() == "9999"


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "amad.sqlite").write_bytes(b"no database at all " * 100)
    with pytest.raises(CheckpointError) as error:
        Workspace.open(tmp_path)
    assert str(error.value) == (
        f"The workspace database sqlite:///{tmp_path}/amad.sqlite is damaged (file is not a database). "
        "Put a backup in its place, or use another workspace."
    )


def test_a_database_that_cannot_be_written_is_named(workspace, monkeypatch):
    where = f"sqlite:///file:{workspace.path}/amad.sqlite?mode=ro&uri=true"
    monkeypatch.setenv("AMAD_DATABASE_URL", where)
    opened = Workspace.open(workspace.path)  # reading works
    with pytest.raises(InputError) as error, opened.database.writing() as session:
        session.execute(text("DELETE FROM runs"))
    assert "cannot be used (attempt to write a readonly database). Check that it exists" in str(error.value)
    opened.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as error:
        Workspace.open(tmp_path / "file" / "ws")
    assert str(error.value) == (
        f"The workspace {tmp_path}/file/ws cannot be written (Not a directory). "
        "Choose another folder with --workspace or AMAD_WORKSPACE."
    )


@pytest.mark.parametrize("address", ["nonsense", "nosuch://host/db", "://"])
def test_an_address_that_is_none_is_told(tmp_path, monkeypatch, address):
    monkeypatch.setenv("AMAD_DATABASE_URL", address)
    with pytest.raises(ConfigError) as error:
        Workspace.open(tmp_path)
    assert str(error.value) == (
        "AMAD_DATABASE_URL is not an address that SQLAlchemy knows. "
        "Write it like postgresql+psycopg://user:password@host/database, or unset it."
    )


def test_a_missing_driver_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", "oracle+oracledb://user:secret@host/db")
    with pytest.raises(ConfigError) as error:
        Workspace.open(tmp_path)
    assert str(error.value) == (
        'AMAD_DATABASE_URL needs the package "oracledb", which is not installed. Install it with pip.'
    )


def test_another_sqlite_file_can_be_named_and_passwords_stay_out_of_messages(tmp_path, monkeypatch):
    monkeypatch.setenv("AMAD_DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite")
    opened = Workspace.open(tmp_path / "ws")
    opened.close()
    assert sqlite3.connect(tmp_path / "other.sqlite").execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not (tmp_path / "ws" / "amad.sqlite").exists()
