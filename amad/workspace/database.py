"""The workspace's database: engine, sessions, and migrations that run on open."""

from __future__ import annotations

import copy
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from amad.errors import CheckpointError, ConfigError, InputError
from amad.workspace.access import Actor, Role

HEAD = "0004"  # newest file of migrations/versions; a test holds the two together
BUSY_SECONDS = 30.0
_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x616D6164  # advisory lock of PostgreSQL under which one process migrates


class Database:
    """Sessions on the workspace's database; `reading()` and `writing()` are one transaction each."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _engine(url)
        self.actor: Actor | None = None  # None: whoever runs this process, who may do all

    def acting(self, actor: Actor) -> Database:
        """The same database in the name of somebody, who may change only what their role allows."""
        mine = copy.copy(self)
        mine.actor = actor
        return mine

    def require(self, role: Role) -> None:
        """Errors: AccessError where whoever asks has not this role."""
        if self.actor is not None:
            self.actor.require(role)

    @classmethod
    def open(cls, address: str | URL) -> Database:
        """Connects and migrates; safe when several processes open the same database at once.

        Errors: ConfigError for an address SQLAlchemy cannot use; InputError where the database cannot be
        reached or written; CheckpointError for a damaged database, or one of a newer version.
        """
        try:
            url = make_url(address)
            database = cls(url)
        except (ArgumentError, NoSuchModuleError) as error:
            raise ConfigError(
                "AMAD_DATABASE_URL is not an address that SQLAlchemy knows. "
                "Write it like postgresql+psycopg://user:password@host/database, or unset it."
            ) from error
        except ModuleNotFoundError as error:
            raise ConfigError(
                f'AMAD_DATABASE_URL needs the package "{error.name}", which is not installed. Install it with pip.'
            ) from error
        try:
            database._migrate()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            database.engine.dispose()
            raise _readable(error, url) from error
        except BaseException:
            database.engine.dispose()
            raise
        return database

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; sees one state of the database."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, needs: Role | None = Role.ANALYST) -> Iterator[Session]:
        """A session for one transaction of changes, committed at the end, rolled back on an error.

        `needs`: the role that may make them; None for what the workspace itself keeps up (states of jobs, places of work).
        Errors: AccessError; InputError when the database cannot be written.
        """
        if needs is not None:
            self.require(needs)
        try:
            engine = self.engine.execution_options(immediate=True)
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (OperationalError, sqlite3.OperationalError) as error:
            raise _readable(error, self.url) from error

    def version(self) -> str | None:
        """Revision of the schema in the database; None for an empty database."""
        with self.engine.connect() as connection:
            return _version(connection)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()

    def _migrate(self) -> None:
        if self.engine.dialect.name == "sqlite":
            _use_wal(self.engine)
        if self.version() == HEAD:
            return
        with self.engine.execution_options(immediate=True).begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            if _version(connection) == HEAD:  # another process was quicker
                return
            _upgrade(connection, self.url)


def sqlite_url(path: Path) -> URL:
    """Address of an SQLite file; any characters may stand in the path."""
    return URL.create("sqlite", database=str(path))


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 opens transactions late; we open them below
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL a killed process loses nothing that was committed

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A writer takes its lock at once: a reader that turns writer half-way would fail instead of wait.
        writes = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(engine: Engine) -> None:
    """Turns on write-ahead logging, which stays with the file; waits while another process holds the lock."""
    until = time.monotonic() + BUSY_SECONDS
    raw = engine.raw_connection()
    try:
        while True:
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself while the journal mode changes
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)
    finally:
        raw.close()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, url: URL) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    found = _version(connection)
    if found is not None and found not in known:
        raise CheckpointError(
            f"The workspace database {url.render_as_string(hide_password=True)} has schema {found}; "
            f"this AMAD knows schemas up to {HEAD}. Use the newer AMAD that made it, or another workspace."
        )
    command.upgrade(settings, "head")


def _readable(error: DatabaseError | sqlite3.Error, url: URL) -> InputError | CheckpointError:
    where = url.render_as_string(hide_password=True)
    cause = str(error.orig if isinstance(error, DatabaseError) else error)
    if "not a database" in cause or "malformed" in cause:
        return CheckpointError(
            f"The workspace database {where} is damaged ({cause}). Put a backup in its place, or use another workspace."
        )
    return InputError(
        f"The workspace database {where} cannot be used ({cause.strip()}). "
        "Check that it exists and that you may write there, or choose another folder with --workspace or AMAD_WORKSPACE."
    )
