"""A workspace of its own for each test of a page, and a page opened on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_made import HOME
from streamlit.testing.v1 import AppTest

from amad.workspace import Workspace
from amad.workspace.incoming import Incoming


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    from app.parts import workspace

    opened = workspace.get()
    yield opened
    opened.close()


@pytest.fixture
def open_page(store: Workspace) -> Callable[..., AppTest]:
    def opened(name: str = "series", **address: str) -> AppTest:
        test = AppTest.from_file(str(HOME), default_timeout=60)
        for key, value in address.items():
            test.query_params[key] = value
        test.run()
        if name != "series":
            test.switch_page(f"views/{name}.py").run()
        return test

    return opened


Send = Callable[..., AppTest]


@pytest.fixture
def send(store: Workspace, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Puts files, as (name, content), into the drop zone of a page, and waits until they are read."""
    from app.components.upload import Told
    from app.parts.reading import Job

    waiting: list[Told] = []
    monkeypatch.setattr("app.components.upload.drop_zone", lambda **_: waiting.pop() if waiting else Told())
    wait = Job.wait
    monkeypatch.setattr(Job, "wait", lambda self, _seconds=None: wait(self))

    def sent(page: AppTest, *files: tuple[str, bytes], told: Told | None = None) -> AppTest:
        incoming, owner = Incoming(store.path), str(page.session_state["amad_owner"])
        ids = []
        for name, content in files:
            known = incoming.begin(owner, name, len(content))
            incoming.write(owner, known.id, 0, content)
            ids.append(known.id)
        waiting.append(told or Told(sent=tuple(ids)))
        return page.run()

    return sent
