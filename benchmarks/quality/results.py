"""Rows of results in files of the repository, one a size: what the tables are made from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amad.files import write_atomically
from benchmarks.machine import processor

FOLDER = Path(__file__).parents[1] / "results"
Row = dict[str, Any]


def path_of(size: str, folder: Path = FOLDER) -> Path:
    """File of a size: `core`, `full`, `planted`, `paper`, or the name of other data."""
    return folder / f"quality-{size}.jsonl"


def read(path: Path) -> list[Row]:
    """Rows of a file, none where it is missing."""
    return [line for line in _lines(path) if "entity" in line]


def made(path: Path) -> Row:
    """When, where and with what the file was last added to: `date`, `machine`, `versions`."""
    return next((line["made"] for line in _lines(path) if "made" in line), {})


def identity(row: Mapping[str, Any]) -> tuple[str, str, int]:
    """What there is one row of."""
    return row["entity"], row["method"], row["seed"]


def merge(path: Path, rows: Iterable[Row]) -> list[Row]:
    """Adds rows to a file, in place of those for the same entity, method and seed; returns all of them, in order."""
    today = datetime.now(UTC).date().isoformat()
    found = {identity(row): row for row in read(path)}
    for row in rows:
        found[identity(row)] = _rounded(row)
    ordered = [found[key] for key in sorted(found)]
    first = {"made": {"date": today, "machine": machine(), "versions": versions()}}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(json.dumps(row, sort_keys=True) + "\n" for row in (first, *ordered)).encode())
    return ordered


def machine() -> str:
    """Class of this machine: cores and model of its processor."""
    return f"{os.cpu_count()} cores, {processor()}, {platform.system()}"


def versions() -> str:
    """Versions that the figures depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "torch"))
    return f"Python {platform.python_version()}, {packages}"


def _lines(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _rounded(value: Any) -> Any:
    """Numbers to five places, wherever they stand: beyond, they differ between machines."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 5) if isinstance(value, float) else value
