"""Cells of our CSV: text that no spreadsheet can take for a formula, and lists of channels in one cell; both read back exactly."""

from __future__ import annotations

import re

# a spreadsheet runs a cell that starts so; an apostrophe before it makes it text
_FORMULA = re.compile(r"'*[=+\-@\t\r\n|%]")


def guard(text: str) -> str:
    """Text with an apostrophe before it where a spreadsheet would run it."""
    return "'" + text if _FORMULA.match(text) else text


def bare(text: str) -> str:
    """What `guard` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def join(names: tuple[str, ...]) -> str:
    """Names in one cell, separated by semicolons; a semicolon or backslash in a name gets a backslash."""
    return ";".join(name.replace("\\", "\\\\").replace(";", "\\;") for name in names)


def split(cell: str) -> tuple[str, ...]:
    """The names of a cell that `join` wrote."""
    names, name, escaped = [], "", False
    for c in cell:
        if escaped:
            name, escaped = name + c, False
        elif c == "\\":
            escaped = True
        elif c == ";":
            names.append(name)
            name = ""
        else:
            name += c
    names.append(name + ("\\" if escaped else ""))
    return tuple(part for part in names if part)
