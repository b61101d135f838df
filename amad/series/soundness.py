"""Whether a folder of columns is still what was written: looked at without changing it, and its pyramid made again."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amad.errors import InputError
from amad.series.columns import Columns, read_meta
from amad.series.levels import is_sound, level_name
from amad.series.pyramid import level_widths
from amad.series.scratch import release

_PIECE = 1 << 22  # values read at once


@dataclass(frozen=True)
class Damage:
    """One file of the folder that is missing or not what was written; `level`: one of the pyramid, which can be made again."""

    file: Path
    words: str
    level: bool = False


def damages(folder: Path, deep: bool = False) -> list[Damage]:
    """What is wrong with a folder of columns. Without `deep` descriptions and sizes are looked at, with it every byte."""
    try:
        meta = read_meta(folder)
    except InputError as error:
        return [Damage(folder / "meta.json", str(error))]
    names, rows, path = meta["names"], int(meta["rows"]), folder / "columns.f32"
    found = []
    size = path.stat().st_size if path.is_file() else -1
    if size != 4 * len(names) * rows:
        words = "is missing" if size < 0 else f"has {size:,} bytes instead of {4 * len(names) * rows:,}"
        return [Damage(path, f"{path} {words}.")]
    if deep and rows and names:
        values = np.memmap(path, dtype=np.float32, mode="r", shape=(len(names), rows))
        for index, name in enumerate(names):
            state = 0
            for start in range(0, rows, _PIECE):
                state = zlib.crc32(values[index, start : start + _PIECE].view(np.uint8).data, state)
            release(values)
            if state != meta["crc32"][index]:
                found.append(Damage(path, f"{path}, column {name!r}: the values do not match their checksum."))
                break
    for name, about in meta["files"].items():
        file = folder / name
        there = file.is_file() and file.stat().st_size == about["bytes"]
        if not there or (deep and zlib.crc32(file.read_bytes()) != about["crc32"]):
            found.append(Damage(file, f"{file} is missing or damaged."))
    for width in level_widths(rows):
        if not is_sound(folder, width, len(names), rows, meta["pyramid"].get(str(width)), deep):
            file = folder / level_name(width)
            found.append(Damage(file, f"{file} is missing or damaged.", level=True))
    return found


def rebuild(folder: Path, levels: list[Path]) -> None:
    """Makes these levels of a pyramid again from the values. Errors: InputError where the values are damaged; OSError."""
    for file in levels:
        file.unlink(missing_ok=True)
        file.with_suffix(".crc").unlink(missing_ok=True)
    Columns.open(folder)
