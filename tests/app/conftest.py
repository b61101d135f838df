"""A workspace of its own for each test of a page, and a page opened on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_made import HOME
from streamlit.testing.v1 import AppTest

from amad.workspace import Workspace


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
