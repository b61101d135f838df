"""`amad audit`: who changed what in the workspace, and when."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import check_output, show, show_json, table, written
from amad.errors import InputError
from amad.workspace import audit


def trail(given: argparse.Namespace) -> int:
    """Shows every change, the oldest first, or writes them as a CSV file."""
    since = None if given.since is None else _moment(given.since)
    target = None if given.output is None else check_output(given.output, (".csv",))
    workspace = open_workspace(given)
    found = list(audit.entries(workspace, since))
    if target is not None:
        with written(target) as draft:
            draft.write_text(audit.as_csv(found), encoding="utf-8")
    if wants_json(given):
        show_json(
            {"output": str(target), "changes": len(found)} if target is not None else [one.row() for one in found]
        )
    elif target is not None:
        show(f"{len(found):,} changes written to {target}.")
    elif not found:
        show("Nothing was changed" + (" since then." if since else " yet."))
    else:
        lines = [(one.at, one.who, one.action, f"{one.kind} {one.name or one.key}", one.detail) for one in found]
        show(table(("when (UTC)", "who", "what", "of", "detail"), lines))
    return 0


def _moment(words: str) -> datetime:
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        raise InputError(f'--since "{words}" is no time. Write it like 2026-03-14 or 2026-03-14T05:47+01:00.') from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
