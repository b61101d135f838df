"""A server in a process of its own, which tests, benchmarks and pictures start, kill and start again."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]


class Server:
    """The app, or a script, on a free port of this machine, in a process of its own; `options` are those of Streamlit."""

    def __init__(
        self,
        workspace: Path,
        log: Path,
        script: Path = ROOT / "app" / "main.py",
        patience: float = 60,
        options: Mapping[str, str] = MappingProxyType({}),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.workspace, self.log, self.script, self.patience, self.options = workspace, log, script, patience, options
        self.environment = environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{options.get('server.baseUrlPath', '')}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the app, in a folder that is not the project's, and waits until it answers."""
        environment = {**os.environ, "AMAD_WORKSPACE": str(self.workspace), **self.environment}
        environment.pop("PYTHONPATH", None)
        command = [sys.executable, "-m", "streamlit", "run", str(self.script), "--server.port", str(self.port)]
        command += [word for name, value in self.options.items() for word in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.log.parent, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the app ended:\n{self.log.read_text()}"
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"the app did not answer within {self.patience:g} s:\n{self.log.read_text()}")

    def stop(self) -> None:
        """Ends the app at once (SIGKILL): nothing is flushed or said goodbye to. It can be started again, on the same port."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
