"""Folders of this machine from which the app may open files by path: those that its operator names, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from amad.errors import ConfigError, InputError
from amad.workspace.records import clean_text

FOLDERS = "AMAD_FOLDERS"
_DEPTH = 4  # folders within an allowed one that are listed


def folders() -> list[Path]:
    """The allowed folders, without links in their own paths; none unless AMAD_FOLDERS names some.

    Errors: ConfigError for one that is not there, or a path that does not begin at the root.
    """
    found = []
    for text in os.environ.get(FOLDERS, "").split(os.pathsep):
        if not text.strip():
            continue
        given = Path(text.strip()).expanduser()
        if not given.is_absolute() or not given.is_dir():
            raise ConfigError(f"{FOLDERS} names {text!r}, which is no folder with a whole path. Correct or unset it.")
        found.append(given.resolve())
    return found


def allowed_file(text: str) -> Path:
    """The file that a path names, whole or relative to an allowed folder.

    Errors: InputError for one outside of these folders, with `..` in it, behind a link, or that is no file. What lies
    outside is not told apart from what is not there.
    """
    refused = InputError(
        f'"{clean_text(text, 200)}" is not a file in {_named(folders())}. Give the path of a file there, without links and "..".'
    )
    given = Path(text.strip())
    if "\0" in text or not text.strip() or ".." in given.parts:
        raise refused
    for folder in folders():
        try:
            inside = given.relative_to(folder) if given.is_absolute() else given
        except ValueError:
            continue
        place = folder
        try:
            for part in inside.parts:
                place = place / part
                if place.is_symlink():
                    raise refused
            if place.is_file() and place.resolve(strict=True).is_relative_to(folder):
                return place
        except OSError:
            continue
    raise refused


def listing(endings: tuple[str, ...], most: int = 500) -> list[str]:
    """Files with these endings in the allowed folders, as `allowed_file` takes them; at most so many, without links."""
    found: list[str] = []
    for folder in folders():
        for path in _files(folder, _DEPTH):
            if path.name.lower().endswith(endings):
                found.append(str(path.relative_to(folder) if len(folders()) == 1 else path))
                if len(found) == most:
                    return sorted(found)
    return sorted(found)


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        elif depth > 0 and entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), depth - 1)


def _named(known: list[Path]) -> str:
    return " or ".join(str(folder) for folder in known) or f"any folder that {FOLDERS} allows (it names none)"
