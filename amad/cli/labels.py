"""`amad labels export` and `amad labels import`: labels of a series as files, and back."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from amad.cli.data import open_workspace, read_series, store_series, wants_json
from amad.cli.output import check_output, one_line, say, show, show_json, written
from amad.errors import InputError
from amad.workspace import SeriesRecord, Workspace, files


def export(given: argparse.Namespace) -> int:
    """Writes the labels of a series in one of the forms, and names what that form cannot hold."""
    from amad.workspace.incidents import Incidents
    from amad.workspace.label_formats import FORMATS, write_labels

    form = given.format or ("json" if given.output.lower().endswith(".json") else "csv")
    target = check_output(given.output, (FORMATS[form][1],))
    original = None if given.original is None else _bytes(given.original)
    if original is not None and form != "column":
        raise InputError("--original goes with --format column: its lines get the labels beside them.")
    workspace = open_workspace(given)
    labels = Incidents(workspace, _record(workspace, given).id, author(given))
    found = labels.all()
    series = workspace.open_series(labels.record.id)
    kinds = [*labels.types(), *labels.types(deleted=True)]
    file = write_labels(form, found, series, types=kinds, comments=labels.threads(), original=original)
    with written(target) as draft:
        draft.write_bytes(file.data)
    if wants_json(given):
        show_json({"series": labels.record.id, "labels": len(found), "output": str(target), "lost": list(file.lost)})
        return 0
    show(f'{len(found):,} labels of "{labels.record.name}" written to {target}.')
    if file.lost:
        say(f"{FORMATS[form][0]} does not hold: {'; '.join(file.lost)}.")
    return 0


def take_in(given: argparse.Namespace) -> int:
    """Takes in the labels of a file; with --dry-run only says what would happen."""
    from amad.workspace.incidents import Incidents
    from amad.workspace.label_formats import read_labels

    data = _bytes(given.file)
    workspace = open_workspace(given)
    record = store_series(workspace, given.series, given)
    incoming = read_labels(given.file, data, workspace.open_series(record.id), end_included=not given.end_excluded)
    labels = Incidents(workspace, record.id, author(given))
    taken = labels.take_in(incoming, type=given.type, trial=given.dry_run)
    for note in incoming.notes:
        say(note)
    if wants_json(given):
        counts = {"added": taken.added, "changed": taken.changed, "same": taken.same, "cut": taken.cut}
        show_json({"series": record.id, "form": incoming.form, **counts, "types": list(taken.types)})
    else:
        would = "would be " if given.dry_run else ""
        show(f'"{record.name}", {incoming.form}: {would}{taken.words}')
    return 0


def author(given: argparse.Namespace) -> str:
    """Who labels: --author, else the name this person is signed in with on this machine."""
    if given.author:
        return str(given.author)
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InputError("Say who labels with --author NAME; each label shows who made it.") from None


def _record(workspace: Workspace, given: argparse.Namespace) -> SeriesRecord:
    """The series of the workspace that is meant: by name, or by a file of the same content."""
    series, record = read_series(workspace, given.series, given)
    record = record or workspace.find_content(files.checksum(series))
    if record is None:
        raise InputError(f"{one_line(given.series)} is not in the workspace, so that there are no labels of it.")
    return record


def _bytes(path: str) -> bytes:
    from amad.workspace.label_formats.reading import MOST_BYTES

    file = Path(path)
    if not file.is_file():
        raise InputError(f"There is no file {one_line(path)}.")
    if file.stat().st_size > 16 * MOST_BYTES:
        raise InputError(f"{one_line(path)}: {file.stat().st_size:,} bytes are too many for this.")
    return file.read_bytes()
