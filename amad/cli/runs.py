"""What `amad runs` can do to a run: rename, tag, put first, stop, delete to the trash, restore, compare, show its log."""

from __future__ import annotations

import argparse
from typing import Any

from amad.cli.data import wants_json
from amad.cli.output import show, show_json, table
from amad.errors import InputError
from amad.workspace import RunRecord, Workspace

_CHANGES = ("rename", "tags", "first", "stop", "delete", "restore", "empty_trash", "compare", "log")


def asked(given: argparse.Namespace) -> bool:
    """Whether anything but the list was asked for."""
    return any(getattr(given, name, None) for name in _CHANGES)


def change(workspace: Workspace, given: argparse.Namespace) -> int:
    """Does the one change that was asked for, and says what it did."""
    if given.compare:
        return _compare(workspace, [workspace.find_run(key) for key in given.compare], given)
    if given.log:
        from amad import jobs

        text = jobs.log(workspace, given.log)
        if wants_json(given):
            show_json({"id": workspace.find_run(given.log).id, "log": text.splitlines()})
        else:
            show(text or "Its workers have said nothing yet.")
        return 0
    done, words = _changed(workspace, given)
    if wants_json(given):
        show_json([{"id": run.id, "name": run.name, "state": run.state, "tags": list(run.tags)} for run in done])
    else:
        show(words)
    return 0


def _changed(workspace: Workspace, given: argparse.Namespace) -> tuple[list[RunRecord], str]:
    from amad import jobs

    if given.rename:
        key, name = given.rename
        if not name.strip():
            raise InputError("A run cannot be called nothing. Give a name.")
        run = workspace.update_run(workspace.find_run(key).id, name=name)
        return [run], f'It is called "{run.name}" now.'
    if given.tags:
        key, tags = given.tags
        run = workspace.tag_run(workspace.find_run(key).id, tags.split(";"))
        return [run], f'Run "{run.name}" has ' + (f"the tags {', '.join(run.tags)}." if run.tags else "no tags.")
    if given.first:
        run = jobs.first(workspace, given.first)
        return [run], f'Run "{run.name}" comes before all others that wait.'
    if given.stop:
        run = jobs.stop(workspace, given.stop)
        return [run], f'Run "{run.name}" is {run.state}.'
    if given.delete:
        run = workspace.trash_run(workspace.find_run(given.delete).id)
        return [run], f'Run "{run.name}" is in the trash. Bring it back with: amad runs --restore {run.id}'
    if given.restore:
        run = workspace.restore_run(given.restore)
        return [run], f'Run "{run.name}" is back.'
    gone = workspace.trash()
    for run in gone:
        workspace.delete_run(run.id)
    return gone, f"{len(gone)} run{'s' if len(gone) != 1 else ''} deleted for good."


def _compare(workspace: Workspace, runs: list[RunRecord], given: argparse.Namespace) -> int:
    from amad.workspace.run_shelf import differing_settings

    if len(runs) < 2:
        raise InputError("Name at least two runs to compare.")
    found = differing_settings(runs)
    if wants_json(given):
        ids = [run.id for run in runs]
        show_json({name: dict(zip(ids, values, strict=True)) for name, values in found.items()})
    elif not found:
        show("They have the same settings.")
    else:
        lines: list[list[Any]] = [[name, *map(_plain, values)] for name, values in found.items()]
        show(table(("setting", *(run.name for run in runs)), lines))
    return 0


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value)) or "all"
    return "-" if value is None else str(value)
