"""Which key does what over the timeline, and the file `keys.toml` of a workspace that says otherwise."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = "keys.toml"
# Names as browsers give them (KeyboardEvent.key), with "Shift+" before them where that matters.
KEYS: dict[str, tuple[str, ...]] = {
    "pan_left": ("ArrowLeft",),
    "pan_right": ("ArrowRight",),
    "window_left": ("Shift+ArrowLeft",),
    "window_right": ("Shift+ArrowRight",),
    "channels_up": ("ArrowUp",),
    "channels_down": ("ArrowDown",),
    "page_up": ("PageUp",),
    "page_down": ("PageDown",),
    "first_rows": ("Home",),
    "last_rows": ("End",),
    "zoom_in": ("+", "="),
    "zoom_out": ("-", "_", "\u2212"),
    "whole": ("0",),
    "back": ("Backspace",),
    "previous_event": ("[",),
    "next_event": ("]",),
    "pan_mode": ("p",),
    "brush_mode": ("b",),
    "brush_start": ("i",),
    "brush_end": ("o",),
    "cursor_left": (",",),
    "cursor_right": (".",),
    "mark": ("d",),
    "numbers": ("t",),
    "attention": ("g",),
    "label": ("Enter",),
    "cancel": ("Escape",),
    "keys": ("?",),
}
_KEY = re.compile(r"(?:Shift\+)?(?:\S|[A-Z][A-Za-z]+|F\d{1,2})")
_MOST_BYTES = 20_000


def keymap(folder: Path | str) -> tuple[dict[str, list[str]], list[str]]:
    """Keys of each action in a workspace, and sentences on what in its `keys.toml` cannot be followed.

    A line `mark = "m"` or `zoom_in = ["+", "z"]` gives an action other keys and takes them from any other action; an
    empty list leaves it without one.
    """
    path = Path(folder) / FILE
    try:
        stat = path.stat()
    except OSError:
        return {name: list(keys) for name, keys in KEYS.items()}, []
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, size: int) -> tuple[dict[str, list[str]], list[str]]:
    found = {name: list(keys) for name, keys in KEYS.items()}
    if size > _MOST_BYTES:
        return found, [f"{FILE} is larger than {_MOST_BYTES:,} bytes and was not read."]
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return found, [f"{FILE} cannot be read: {error}"[:200]]
    wrong, chosen = [], {}
    for name, value in given.items():
        keys = [value] if isinstance(value, str) else value
        if name not in KEYS:
            wrong.append(f"{FILE} names {name[:40]!r}, which is no action.")
        elif not isinstance(keys, list) or not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
            wrong.append(f"{FILE}, {name}: give a key as a browser names it, such as k, F4 or Shift+ArrowLeft.")
        else:
            chosen[name] = [key if len(key) > 1 else key.lower() for key in keys]
    taken = {key for keys in chosen.values() for key in keys}
    free = {name: [key for key in keys if key not in taken] for name, keys in found.items() if name not in chosen}
    return {name: chosen.get(name, free.get(name, [])) for name in KEYS}, wrong
