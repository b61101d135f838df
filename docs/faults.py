"""Writes docs/faults.md from the tests of bad input: `python -m docs.faults`."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path

from amad.errors import InputError
from amad.series import read
from tests.faults.bad_files import REFUSED, TOLD, Refused

ROOT = Path(__file__).parents[1]
_HEAD = """# Bad input

Made from the tests by `python -m docs.faults`; do not edit. Each file below is a test in `tests/faults`: it is given to
`amad fit`, which answers with one message and exit code 2 and leaves nothing of it in the workspace. The app shows the same
message, keeps the file, and offers the reading options.

## Refused

| Fault | What AMAD says |
| --- | --- |
"""
_TOLD = """
## Read, and told

These files are read; the quality report of the series says what was found, what was done about it, and what else could be
done.

| Fault | What the report says |
| --- | --- |
"""
_REST = """
## Runs, settings and workspaces

Each line is a test in `tests/faults/test_bad_inputs.py`.

"""
_LIMITS = """
## Limits that are reached

What they are stands in [server](server.md). Each line is a test in `tests/faults/test_limits_reached.py`.

"""
_NOT = """
## Not held by a test

- A workspace on a network share: SQLite's write-ahead log needs shared memory, which most shares lack; put the database on
  a server with `AMAD_DATABASE_URL`.
- A series shorter than a window is stored before its length is compared with the window; no run is made of it.
"""


def _cell(text: str) -> str:
    plain = " ".join(text.split())
    for mark in ("\\", "|", "<", ">", "*", "_", "`"):
        plain = plain.replace(mark, {"<": "&lt;", ">": "&gt;"}.get(mark, f"\\{mark}"))
    return plain


def _refusal(case: Refused, folder: Path) -> str:
    """The message of reading this file; where reading alone takes it, the parts that the test asks for."""
    path = folder / case.file
    path.write_bytes(case.content())
    try:
        read(path)
    except InputError as error:
        return str(error)
    return "… " + " ".join(case.says)


def page() -> str:
    """The whole page."""
    lines = [_HEAD]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for refused in REFUSED:
            lines.append(f"| {refused.fault} | {_cell(_refusal(refused, folder))} |\n")
    lines.append(_TOLD)
    for told in TOLD:
        lines.append(f"| {told.fault} | {_cell(told.says) or 'Nothing: it is read as it is.'} |\n")
    lines += [_REST, *_told_by("test_bad_inputs.py", but=("files", "the_page"))]
    lines += [_LIMITS, *_told_by("test_limits_reached.py")]
    lines.append(_NOT)
    return "".join(lines)


def _told_by(file: str, but: tuple[str, ...] = ()) -> list[str]:
    """What the tests of a file hold, a line each, in their own words."""
    tree = ast.parse((ROOT / "tests" / "faults" / file).read_text(encoding="utf-8"))
    names = [
        node.name.removeprefix("test_").replace("_", " ")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not any(w in node.name for w in but)
    ]
    return [f"- {words[0].upper()}{words[1:]}\n" for words in names]


if __name__ == "__main__":
    (ROOT / "docs" / "faults.md").write_text(page(), encoding="utf-8")
