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
_FILES = (
    "tests/faults/test_job_faults.py",
    "tests/faults/test_killed_worker.py",
    "tests/faults/test_killed_scoring.py",
    "tests/faults/test_killed_labelling.py",
    "tests/faults/test_upgrade_faults.py",
    "tests/faults/test_eight_writers.py",
    "tests/faults/test_backup_meanwhile.py",
    "tests/unit/workspace/test_checking.py",
)
_WORLD = """
## The world around it

Kills, disks, clocks, locks, servers that go away, and files that rot. Each line is a test in `tests/faults`, or in
`tests/unit/workspace/test_checking.py` (what `amad doctor` finds and mends).

"""
_TRIED = """
## Tried more often

`python -m benchmarks.faults`, 2026-11-26, 2 cores AMD EPYC shared with other work, torch 2.13 (a training of 120 optimiser steps that saves
every 0.2 s; a scoring of 40 blocks). How the app is killed while four browsers label stands in [performance](performance.md).

| what was done, with real processes | times | lost |
| --- | ---: | --- |
| SIGKILL at a random moment of a training, then resumed | 100 | nothing: 34 runs, each with the bits of one never killed |
| SIGKILL at a random moment of a scoring, then asked for again | 20 | nothing: 10 scorings, each with the bits of one never killed; none began again |
| disk full while a series, a checkpoint, scores, labels, an export or a backup is written | 6 | nothing: one message each, nothing half-written, equal bits once there was room; the database is sound |
| database held for 30 s by another process while four people label and a run trains | 130 labels | nothing: 129 waited and are there, 1 was refused in words after 30 s; the run ended with equal bits |
| clock of a worker set back or forth by 3 h and by 48 h | 4 | nothing: never taken for lost, equal bits |
| a worker takes more than its 1,500 MB | 1 | nothing: failed with the cause, resumed from its checkpoint, equal bits |

`python -m benchmarks.fuzz --cases 100000`, 2026-11-27, the same class of machine: whole files of which bytes are flipped, cut, doubled, moved and
overwritten, each read as `amad fit` would read it. A case may be read, or refused in words; more than 5 s would be a hang. (A first 100,000 of
Parquet found a page that claimed a gigabyte and got it; these are others, after that was mended.)

| form | cases | read | refused in words | crash | hang | more memory than ten times the file |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| CSV | 100,000 | 10,396 | 89,604 | 0 | 0 | 0 |
| CSV, gzip | 100,000 | 205 | 99,795 | 0 | 0 | 0 |
| Parquet | 100,000 | 19,195 | 80,805 | 0 | 0 | 0 |
| Feather | 100,000 | 22,367 | 77,633 | 0 | 0 | 0 |
| Excel | 100,000 | 22,084 | 77,916 | 0 | 0 | 0 |
| NPZ | 100,000 | 11,388 | 88,612 | 0 | 0 | 0 |
| NPY | 100,000 | 59,286 | 40,714 | 0 | 0 | 0 |
| labels (CSV, JSON, lines) | 100,000 | 34,131 | 65,869 | 0 | 0 | 0 |

`python -m benchmarks.fuzz --guided --cases 100000`, 2026-11-27, the same class of machine: files made by atheris, which keeps what reaches a new branch of our
readers and changes it further. It found two faults that the blind cases had not: an NPZ file with a member that is no array ended in a fault of ours, and an NPY
header of no rows and 6,666,666,666,666,633 channels asked for a name for each. Both are refused in words now and have tests; these are the cases after that. More
than 5 s is a hang, more than 1 GB of the whole process is memory. What it kept in an earlier run is where it began.

| form | cases | branches at first | at the end | crash | hang | memory |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| CSV | 100,000 | 865 | 1,001 | 0 | 0 | 0 |
| CSV, gzip | 100,000 | 759 | 843 | 0 | 0 | 0 |
| Parquet | 100,000 | 461 | 487 | 0 | 0 | 0 |
| Feather | 100,000 | 472 | 488 | 0 | 0 | 0 |
| Excel | 100,000 | 537 | 539 | 0 | 0 | 0 |
| NPZ | 100,000 | 348 | 348 | 0 | 0 | 0 |
| NPY | 100,000 | 331 | 333 | 0 | 0 | 0 |
| labels (CSV, JSON, lines) | 100,000 | 207 | 210 | 0 | 0 | 0 |
"""
_NOT = """
## Not held by a test

- A workspace on a network share: SQLite's write-ahead log needs shared memory, which most shares lack; put the database on
  a server with `AMAD_DATABASE_URL`.
- The built image: no container engine runs where the tests do. A linter, a schema and `tests/faults/test_by_hand.py` hold its files
  right: what it copies is started by hand, with its commands and its environment alone, on PostgreSQL.
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
    lines.append(_REST)
    lines += _tests("tests/faults/test_bad_inputs.py")
    lines.append(_LIMITS)
    lines += _tests("tests/faults/test_limits_reached.py")
    lines.append(_WORLD)
    for file in _FILES:
        lines += _tests(file)
    lines.append(_TRIED)
    lines.append(_NOT)
    return "".join(lines)


def _tests(file: str) -> list[str]:
    """A line for each test of a file, in the words of its name."""
    found = []
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name.startswith("test_")
            and not any(word in node.name for word in ("bad_files", "odd_files", "the_page"))
        ):
            words = node.name.removeprefix("test_").replace("_", " ")
            for plain, written in (("postgresql", "PostgreSQL"), ("lost and found", "lost+found")):
                words = words.replace(plain, written)
            found.append(f"- {words[0].upper()}{words[1:]}\n")
    return found


if __name__ == "__main__":
    (ROOT / "docs" / "faults.md").write_text(page(), encoding="utf-8")
