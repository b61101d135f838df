"""The workspace's database: engine, sessions, and migrations that run on open."""

from __future__ import annotations

import copy
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.orm import Session

from amad.errors import AmadError, CheckpointError, ConfigError, InputError
from amad.workspace import copies
from amad.workspace.access import Actor, Role

HEAD = "0004"  # newest file of migrations/versions; a test holds the two together
BUSY_SECONDS = 30.0
RECONNECT_SECONDS = 10.0  # for which a transaction that has not begun waits for a server that is being started anew
_DAMAGED = ("file is not a database", "disk image is malformed")
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
        """A session for reading; sees one state of the database. Errors: InputError when it cannot be read."""
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                self._connect(session)
                yield session
        except (DBAPIError, sqlite3.OperationalError) as error:
            if not _of_the_connection(error):
                raise
            raise _readable(error, self.url) from error

    @contextmanager
    def writing(self, needs: Role | None = Role.ANALYST) -> Iterator[Session]:
        """A session for one transaction of changes, committed at the end, rolled back on an error.

        `needs`: the role that may make them; None for what the workspace itself keeps up (states of jobs, places of work).
        A transaction whose connection breaks is not tried again, since only the caller could do its steps again.
        Errors: AccessError; InputError when the database cannot be written, is locked for too long, or is lost meanwhile.
        """
        if needs is not None:
            self.require(needs)
        ending = False
        try:
            engine = self.engine.execution_options(immediate=True)
            with Session(engine, expire_on_commit=False) as session:
                self._connect(session)
                yield session
                ending = True
                session.commit()
        except (DBAPIError, sqlite3.OperationalError) as error:
            if not _of_the_connection(error):
                raise
            raise _readable(error, self.url, ending) from error

    def _connect(self, session: Session) -> None:
        """Takes a connection to a server, waiting while it is being started anew; nothing was done yet, so nothing is lost."""
        if self.engine.dialect.name == "sqlite":
            return
        until = time.monotonic() + RECONNECT_SECONDS
        while True:
            try:
                session.connection()
                return
            except OperationalError:
                session.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def file(self) -> Path | None:
        """The file of an SQLite database; None for that of a server, or one in memory."""
        if self.engine.dialect.name != "sqlite":
            return None
        named = self.url.database or ""
        if not named.startswith((":memory:", "file:")):  # known also where the database is too damaged to be asked
            return Path(named).absolute() if named else None
        with self.engine.connect() as connection:
            return _file(connection)

    def faults(self, deep: bool = False) -> list[str]:
        """What SQLite finds wrong in the database's pages, with `deep` in its indexes too; nothing of a server's database."""
        file = self.file()
        if file is None:
            return []
        with closing(sqlite3.connect(file)) as connection:
            return copies.faults_of(connection, deep)

    def strays(self) -> list[tuple[str, str, int]]:
        """Rows of an SQLite database that name a row which is not there: their table, the other table, and how many."""
        if self.engine.dialect.name != "sqlite":
            return []
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        counted = Counter((str(line[0]), str(line[2])) for line in found)
        return [(table, parent, count) for (table, parent), count in sorted(counted.items())]

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
            _upgrade(connection, self.url)  # all of it in this one transaction


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


def _file(connection: Connection) -> Path | None:
    name = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    return Path(name) if name else None


def _upgrade(connection: Connection, url: URL) -> None:
    """Brings the schema to the newest one, after an SQLite database that holds something was copied.

    Errors: CheckpointError for a schema of a newer AMAD, or where a step fails; InputError where there is no room for the copy.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    found, where = _version(connection), url.render_as_string(hide_password=True)
    if found is not None and found not in known:
        raise CheckpointError(
            f"The workspace database {where} has schema {found}; "
            f"this AMAD knows schemas up to {HEAD}. Use the newer AMAD that made it, or another workspace."
        )
    copy = _copied(connection, found, where)
    try:
        command.upgrade(settings, "head")
    except (SQLAlchemyError, sqlite3.Error) as error:
        kept = f" A copy of it is {copy}." if copy is not None else ""
        raise CheckpointError(
            f"The workspace database {where} could not be brought from schema {found} to {HEAD} ({_cause(error)}). "
            f"It is as it was.{kept} Make room where the disk is full; otherwise open it with the AMAD that made it, and "
            "tell its maintainers."
        ) from error


def _copied(connection: Connection, schema: str | None, where: str) -> Path | None:
    """The copy of an SQLite database that is about to be migrated; None where there is nothing to lose, or no file."""
    file = _file(connection) if schema is not None and connection.dialect.name == "sqlite" else None
    if file is None or schema is None:
        return None
    try:
        return copies.keep_before_migration(file, schema)
    except (OSError, sqlite3.OperationalError) as error:
        raise InputError(
            f"The workspace database {where} has schema {schema} and is copied before it is brought to {HEAD}, but no copy "
            f"could be written beside it ({error}). Nothing was changed. Make room there, and open it again."
        ) from error
    except (copies.Damaged, sqlite3.DatabaseError) as error:
        raise CheckpointError(
            f"The workspace database {where} is damaged ({error}), so its schema {schema} was not brought to {HEAD}. "
            "Nothing was changed. Put a backup in its place, or use another workspace."
        ) from error


def _of_the_connection(error: Exception) -> bool:
    """Whether an error is of the database's file, lock, disk or server, and not of what was asked of it."""
    if isinstance(error, OperationalError | sqlite3.OperationalError) or getattr(
        error, "connection_invalidated", False
    ):
        return True
    return any(words in str(error) for words in _DAMAGED)


def _cause(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _readable(error: Exception, url: URL, ending: bool = False) -> AmadError:
    """What happened to the database in words; `ending`: while a transaction was being committed."""
    where, cause = url.render_as_string(hide_password=True), _cause(error)
    if any(words in cause for words in _DAMAGED):
        return CheckpointError(
            f"The workspace database {where} is damaged ({cause}). Put a backup in its place, or use another workspace."
        )
    if "database is locked" in cause:
        return InputError(
            f"The workspace database {where} is locked by another process, which held it for more than {BUSY_SECONDS:g} s. "
            "Nothing was changed. End that process if it hangs, and try again."
        )
    if "disk is full" in cause:
        return InputError(
            f"The disk of the workspace database {where} is full. Nothing was changed. Make room there, and try again."
        )
    if getattr(error, "connection_invalidated", False):
        said = (
            "It was being confirmed: it is there as a whole or not at all. Look first, and try again where it is not."
            if ending
            else "Nothing was changed. Try again."
        )
        return InputError(f"The connection to the workspace database {where} was lost ({cause}). {said}")
    return InputError(
        f"The workspace database {where} cannot be used ({cause}). "
        "Check that it exists and that you may write there, or choose another folder with --workspace or AMAD_WORKSPACE."
    )
