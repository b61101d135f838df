"""Checks of a run's zip file before and while it is unpacked; nothing in it is trusted."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from amad.errors import CheckpointError, InputError
from amad.workspace.records import clean_text

MEBI = 1 << 20
# every file a run's archive may hold, with the largest size it may unpack to
LIMITS: dict[str, int] = {
    "run.json": 1 * MEBI,
    "config.json": 4 * MEBI,
    "scaler.json": 16 * MEBI,
    "detection.json": 64 * MEBI,
    "model.safetensors": 2048 * MEBI,
    "detection.safetensors": 2048 * MEBI,
    "history.jsonl": 256 * MEBI,
    "frequencies.npz": 256 * MEBI,
    "scores/names.json": 4 * MEBI,
    "scores/columns.f32": 4096 * MEBI,
}
MODEL = "model.safetensors"  # which every run of AMAD has, and no baseline
REQUIRED = ("run.json", "config.json", "scaler.json", "detection.json", "detection.safetensors")
MOST_BYTES = 6144 * MEBI
MOST_RATIO = 200
_SMALL = 1 * MEBI  # below this size any ratio is harmless
_CHUNK = 1 * MEBI


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file; every fault of the format comes out as CheckpointError. Errors: InputError if it is not there."""
    if not path.is_file():
        raise InputError(f"There is no file {path}. Give the path of a run that `amad export` wrote.")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path}: this is not a whole zip file ({clean_text(str(error), 200)}). Export the run again."
        ) from error
    except (RuntimeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{path}: cannot be unpacked ({clean_text(str(error), 200)}).") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from error


def check_list(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The archive's entries, all of them known files of bearable size; otherwise CheckpointError before unpacking."""
    entries = archive.infolist()
    if len(entries) > len(LIMITS):
        raise _bad(path, f"it holds {len(entries)} files, a run has at most {len(LIMITS)}")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if name not in LIMITS:
            raise _bad(path, f'"{clean_text(name, 80)}" is no file of a run')
        if name in seen:
            raise _bad(path, f'it holds "{name}" twice')
        seen.add(name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _bad(path, f'"{name}" is a link or another special file')
        if entry.flag_bits & 0x1:
            raise _bad(path, f'"{name}" is encrypted')
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _bad(path, f'"{name}" is compressed in a way that runs do not use')
        if entry.file_size > LIMITS[name]:
            raise _bad(path, f'"{name}" unpacks to {entry.file_size} bytes, more than the {LIMITS[name]} allowed')
        if entry.file_size > _SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise _bad(path, f'"{name}" unpacks to more than {MOST_RATIO} times its packed size')
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _bad(path, f"it unpacks to more than {MOST_BYTES} bytes")
    missing = [name for name in REQUIRED if name not in seen]
    if missing:
        raise _bad(path, f"it lacks {', '.join(missing)}")
    return entries


def unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, path: Path) -> None:
    """Unpacks checked entries into a new folder, counting bytes in case the list of entries lied about sizes."""
    folder.mkdir()
    for entry in entries:
        target = folder.joinpath(*entry.filename.split("/"))
        target.parent.mkdir(exist_ok=True)
        left = entry.file_size
        with archive.open(entry) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _bad(path, f'"{entry.filename}" is larger than the archive says')
                sink.write(chunk)
        if left:
            raise _bad(path, f'"{entry.filename}" is shorter than the archive says')


def read_object(file: Path, path: Path) -> dict[str, Any]:
    """A JSON object from an unpacked file. Errors: CheckpointError naming the archive and the file."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad(path, f'"{file.name}" is not JSON ({clean_text(str(error), 120)})') from error
    if not isinstance(found, dict):
        raise _bad(path, f'"{file.name}" is not a JSON object')
    return found


def check_content(folder: Path, path: Path) -> None:
    """Reads what can be read without running a model: tensors' headers, JSON, history, frequencies."""
    from safetensors import SafetensorError, safe_open

    for name in ("model.safetensors", "detection.safetensors"):
        if name == MODEL and not (folder / name).exists():
            continue  # whether there has to be one is known from the settings
        try:
            with safe_open(folder / name, framework="numpy") as tensors:
                list(tensors.keys())
        except (SafetensorError, OSError, ValueError) as error:
            raise _bad(path, f'"{name}" is damaged ({clean_text(str(error), 120)})') from error
    for name in ("scaler.json", "detection.json"):
        read_object(folder / name, path)
    history = folder / "history.jsonl"
    if history.exists():
        with history.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    whole = isinstance(json.loads(line), dict)
                except (ValueError, RecursionError):
                    whole = False
                if not whole:
                    raise _bad(path, f'"history.jsonl", line {number}, is not a JSON object')
    frequencies = folder / "frequencies.npz"
    if frequencies.exists():
        _check_arrays(frequencies, path)


def bad_archive(path: Path, what: str) -> CheckpointError:
    """The error for an archive that is not a run."""
    return _bad(path, what)


def _check_arrays(file: Path, path: Path) -> None:
    """An npz is a zip itself: its sizes are checked first, and no pickle is ever loaded."""
    try:
        with zipfile.ZipFile(file) as inner:
            entries = inner.infolist()
            if len(entries) > 64 or sum(entry.file_size for entry in entries) > LIMITS["frequencies.npz"]:
                raise _bad(path, '"frequencies.npz" holds too much')
        with np.load(file, allow_pickle=False) as arrays:
            for name in arrays.files:
                if arrays[name].dtype.kind not in "fiub":
                    raise _bad(path, f'"frequencies.npz" holds "{clean_text(name, 40)}", which is not numbers')
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, KeyError, NotImplementedError) as error:
        raise _bad(path, f'"frequencies.npz" is damaged ({clean_text(str(error), 120)})') from error


def _bad(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path} is not a run that can be imported: {what}. Nothing was imported.")
