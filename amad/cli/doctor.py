"""`amad doctor`: what is installed and found here, what is wrong with the workspace, and with `--mend` what was mended."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from importlib import metadata
from typing import Any

import amad
from amad import limits, logs
from amad.cli.data import open_workspace, wants_json
from amad.cli.output import say, show, show_json, table
from amad.errors import AmadError
from amad.numbers import size_text
from amad.workspace import Workspace, room
from amad.workspace.mending import Mended

_PACKAGES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "sqlalchemy", "streamlit")


def doctor(given: argparse.Namespace) -> int:
    """Shows versions, devices and the workspace, and what is wrong; exit code 2 when something stays wrong."""
    facts, problems = _installation()
    looked: list[Mended] = []
    try:
        workspace = open_workspace(given)
        free = shutil.disk_usage(workspace.path).free
        facts |= _about(workspace, free)
        if free < 1 << 30:
            problems.append(f"the disk of {workspace.path} has only {size_text(free)} left")
        looked = _look_over(workspace, given)
    except AmadError as error:
        problems.append(str(error))
    problems += [_told(one) for one in looked if not one.done]
    facts["problems"] = problems
    if wants_json(given):
        facts["findings"] = [_plain(one) for one in looked]
        show_json(facts)
        return 2 if problems else 0
    shown = {name: value for name, value in facts.items() if name != "problems"}
    show(table(("what", "found"), [(name, _text(value)) for name, value in shown.items()]))
    for one in looked:
        if one.done:
            show(f"Mended: {one.problem.words} {one.done}")
    for problem in problems:
        show(f"Problem: {problem}")
    if not given.mend and any(one.problem.mending for one in looked):
        show("`amad doctor --mend` mends what can be mended without losing anything.")
    if not problems:
        show("No problems are left." if looked else "No problems found.")
    return 2 if problems else 0


def _installation() -> tuple[dict[str, Any], list[str]]:
    """Versions, devices and threads, and what would keep AMAD from working here."""
    from amad.jobs import cluster, engine

    facts: dict[str, Any] = {
        "amad": amad.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    facts |= {name: _version(name) for name in _PACKAGES}
    facts |= {"cpu cores": os.cpu_count(), "devices": None, "threads": None}
    problems = [f"{name} is not installed" for name in _PACKAGES if facts[name] is None]
    facts["ray"] = cluster.describe()
    facts["limits"], wrong = limits.described()
    problems += wrong
    for setting in (engine, logs.form):
        try:
            setting()
        except AmadError as error:
            problems.append(str(error))
    try:
        import torch

        from amad.training import devices

        facts["devices"] = devices()
        facts["threads"] = torch.get_num_threads()
    except Exception as error:  # whatever keeps torch from loading is what a doctor should name
        problems.append(f"torch cannot be used: {type(error).__name__}: {error}")
    return facts, problems


def _about(workspace: Workspace, free: int) -> dict[str, Any]:
    return {
        "workspace": str(workspace.path),
        "workspace free": size_text(free),
        "workspace taken": size_text(room.taken(workspace.path)),
        "database": workspace.database.url.render_as_string(hide_password=True),
        "database schema": workspace.database.version(),
        "series": len(workspace.series()),
        "runs": len(workspace.runs()),
    }


def _look_over(workspace: Workspace, given: argparse.Namespace) -> list[Mended]:
    """What is wrong with the workspace, and what became of it."""
    from amad.workspace import checking, mending

    if given.deep:
        say("Comparing every stored byte with its checksum; this takes as long as reading all of it.")
    found = checking.check(workspace, deep=given.deep)
    return mending.mend(workspace, found) if given.mend else [Mended(problem) for problem in found]


def _told(one: Mended) -> str:
    tried = f" It could not be mended: {one.why}" if one.why else ""
    return f"{one.problem.words}{tried} {one.problem.advice}"


def _plain(one: Mended) -> dict[str, Any]:
    return {
        "kind": one.problem.kind,
        "words": one.problem.words,
        "advice": one.problem.advice,
        "can_be_mended": one.problem.mending or None,
        "mended": one.done or None,
        "why_not": one.why or None,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
