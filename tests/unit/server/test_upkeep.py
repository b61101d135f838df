"""Upkeep is done once for all sessions, and again when it is due."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.parts import upkeep


def test_many_sessions_look_after_the_jobs_once_and_again_when_due(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looked = [100.0], []
    monkeypatch.setattr(upkeep, "_LAST", {})
    monkeypatch.setattr(upkeep.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(upkeep.jobs, "refresh", lambda store: looked.append((store.path.name, clock[0])))
    one, two = SimpleNamespace(path=Path("one")), SimpleNamespace(path=Path("two"))
    for _ in range(24):
        upkeep.look_after(one)  # type: ignore[arg-type]
    upkeep.look_after(two)  # type: ignore[arg-type]
    clock[0] += upkeep.LOOK
    upkeep.look_after(one)  # type: ignore[arg-type]
    assert looked == [("one", 100.0), ("two", 100.0), ("one", 100.0 + upkeep.LOOK)]
