"""What browser tests share: a real Chromium, and the app on a free port with a workspace of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.browser.timelines import timeline_context, timeline_page, timeline_server, timeline_url  # noqa: F401

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session; a missing one is a failure."""
    path = chromium.find()
    assert path, "No Chromium found. `make test` installs one; or name it in AMAD_CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    """A fresh page of 1440 x 900; what the browser's console called an error fails the test."""
    context = chromium_browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(30_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


class Server:
    """The app on a free port of this machine, in a process of its own."""

    def __init__(
        self, workspace: Path, log: Path, script: Path = ROOT / "app" / "main.py", patience: float = 60
    ) -> None:
        self.workspace, self.log, self.script, self.patience = workspace, log, script, patience
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the app, in a folder that is not the project's, and waits until it answers."""
        environment = {**os.environ, "AMAD_WORKSPACE": str(self.workspace)}
        environment.pop("PYTHONPATH", None)
        command = [sys.executable, "-m", "streamlit", "run", str(self.script), "--server.port", str(self.port)]
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


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with an empty workspace, shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("app")
    server = Server(folder / "workspace", folder / "app.log")
    server.start()
    yield server
    server.stop()
