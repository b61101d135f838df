"""Finds the PostgreSQL that tests of the database run against, and installs one where there is none.

Run as `python -m tests.postgres`: prints the folder of its programs; exit 1 where none could be had.
"""

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def find() -> Path | None:
    """The folder of `initdb` and `postgres`: AMAD_POSTGRES, one on PATH, or Debian's; None where there is none."""
    named = os.environ.get("AMAD_POSTGRES")
    if named:
        return Path(named)
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    return found[-1].parent if found else None


def install() -> Path | None:
    """Installs it by apt where we are root on Debian or a child of it."""
    if platform.system() == "Linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        subprocess.run(command, check=False, env=quiet)
    return find()


class Postgres:
    """A server of its own on a free port, in a temporary folder, for the length of a test session."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="amad-postgres-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.log: BinaryIO | None = None
        self._made = 0

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Makes the database files and starts the server, as another user where we are root (it refuses root)."""
        self.folder.chmod(0o755)
        data = self.folder / "data"
        data.mkdir()
        as_user: dict[str, str] = {}
        if os.geteuid() == 0:
            as_user = {"user": "postgres"}
            shutil.chown(data, "postgres")
        make = [self.programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
        log = self.log = (self.folder / "log.txt").open("ab")
        subprocess.run(make, check=True, stdout=log, stderr=log, cwd="/", **as_user)
        self.up()

    def restart(self) -> None:
        """Ends the server and starts it again, as `pg_ctl restart` does."""
        self.down()
        self.up()

    def down(self) -> None:
        """Ends the server: its connections break, their transactions are rolled back."""
        assert self.process is not None
        self.process.send_signal(2)  # fast shutdown
        self.process.wait(60)

    def up(self) -> None:
        """Starts the server on its files, and waits until it answers."""
        as_user = {"user": "postgres"} if os.geteuid() == 0 else {}
        log = self.log
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "synchronous_commit": "off", "max_connections": 60, "shared_buffers": "32MB",
        }  # fmt: skip
        command = [self.programs / "postgres", "-D", self.folder / "data"]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **as_user)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"PostgreSQL ended:\n{(self.folder / 'log.txt').read_text()}"
            if (
                subprocess.run([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode
                == 0
            ):
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not answer in 60 s:\n{(self.folder / 'log.txt').read_text()}")

    def fresh(self) -> str:
        """The address of a new, empty database."""
        import psycopg

        self._made += 1
        name = f"amad_{self._made}"
        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=tester dbname=postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        return f"{self.url}/{name}"

    def stop(self) -> None:
        """Ends the server and removes its files."""
        if self.process is not None:
            self.process.send_signal(3)  # immediate shutdown
            self.process.wait(30)
        if self.log is not None:
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def served() -> Iterator[Postgres]:
    """A server while the block lasts; where there is no PostgreSQL the test fails."""
    programs = find()
    assert programs, "No PostgreSQL found. `make test` installs one; or name its folder in AMAD_POSTGRES."
    running = Postgres(programs)
    try:
        running.start()
        yield running
    finally:
        running.stop()


if __name__ == "__main__":
    found = find() or install()
    if found is None:
        print("No PostgreSQL found, and none could be installed. Name its folder in AMAD_POSTGRES.", file=sys.stderr)
        sys.exit(1)
    print(found)
