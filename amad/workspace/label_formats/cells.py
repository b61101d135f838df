"""Lists of channels in one cell of our CSV, which read back exactly."""

from __future__ import annotations


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
