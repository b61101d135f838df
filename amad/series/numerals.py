"""Numbers written as text: decimal marks, marks between thousands, and what cannot be told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amad.series.series import Finding

if TYPE_CHECKING:
    import pyarrow as pa

_OTHER = {".": ",", ",": "."}
_WORDS = {".": "point", ",": "comma"}
_SPECIAL = r"[+-]?[iI][nN][fF](inity)?|[nN][aA][nN]"
# Python reads 1_000 as a number and pandas reads nothing of hexadecimal: only plain decimal notation counts.
_PLAIN = {
    mark: re.compile(rf"[+-]?(\d+{re.escape(mark)}?\d*|{re.escape(mark)}\d+)([eE][+-]?\d+)?|{_SPECIAL}")
    for mark in _OTHER
}
# 1,234.5 or 1'234.5 or 1 234.5 (also with spaces that do not break); a leading zero is no thousand.
_GROUPED = {
    mark: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}(?P<group>[{re.escape(_OTHER[mark])}' \u2019\u00a0\u2009\u202f])\d{{3}}"
        rf"(?P<more>(?:(?P=group)\d{{3}})*)(?P<rest>{re.escape(mark)}\d*)?"
    )
    for mark in _OTHER
}


@dataclass(frozen=True)
class Numerals:
    """Cells of text as numbers: values (T,) float64, NaN where there is none; `wrong` (T,) text that is no number.

    `grouped` counts the cells with marks between thousands, `example` is the first of them with its value.
    """

    values: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    grouped: int = 0
    example: tuple[str, float] = ("", 0.0)


def is_grouped(cell: str, decimal: str, loose: bool) -> bool:
    """Whether a cell is a number with marks between its thousands.

    `1,234` alone may be a fraction as well: it counts only where `loose`.
    """
    found = _GROUPED[decimal].fullmatch(cell)
    return found is not None and (loose or _sure(found))


def _sure(found: re.Match[str]) -> bool:
    return found["group"] not in _OTHER or bool(found["more"]) or found["rest"] is not None


def is_plain(cell: str, decimal: str) -> bool:
    """Whether a cell is a number in plain decimal notation with this mark."""
    return _PLAIN[decimal].fullmatch(cell) is not None


def numerals(text: pa.ChunkedArray, missing: Sequence[str], decimal: str, loose: bool = False) -> Numerals:
    """Text (trimmed) read as numbers with this decimal mark; thousands may be marked.

    With `loose`, `1,234` counts as marked though nothing else in the column says that it is no fraction.
    """
    import pandas as pd

    cells = text.to_pandas().astype(object)
    absent = cells.isna().to_numpy() | cells.isin(list(missing)).to_numpy()
    words = cells.where(~absent, None).astype(str)
    plain = words.str.fullmatch(_PLAIN[decimal].pattern).to_numpy(dtype=bool) & ~absent
    values = np.full(len(cells), np.nan)
    if plain.any():
        shown = words[plain] if decimal == "." else words[plain].str.replace(decimal, ".", regex=False)
        values[plain] = pd.to_numeric(shown, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~absent & ~plain
    places = np.flatnonzero(wrong)
    found = {int(place): match for place in places if (match := _GROUPED[decimal].fullmatch(words.iloc[place]))}
    if not found or not (loose or any(map(_sure, found.values()))):
        return Numerals(values, wrong)
    for place, match in found.items():
        values[place] = float(match[0].replace(match["group"], "").replace(decimal, "."))
        wrong[place] = False
    first = next(iter(found))
    return Numerals(values, wrong, len(found), (found[first][0], float(values[first])))


def doubt(cell: str, decimal: str) -> str | None:
    """What is wrong with a cell that is a number only under another mark than the rest; None for other text."""
    other = _OTHER[decimal]
    if _GROUPED[decimal].fullmatch(cell):
        whole, fraction = cell.replace(other, ""), cell.replace(other, ".")
        return f'"{cell}" may be {whole} or {fraction}.'
    if is_plain(cell, other) or is_grouped(cell, other, loose=True):
        return f'"{cell}" has a decimal {_WORDS[other]}, but the file has a decimal {_WORDS[decimal]}.'
    return None


def thousands(names: Sequence[str], example: tuple[str, float]) -> Finding:
    """What is said of columns whose thousands are marked, with a cell and its value."""
    return Finding(
        "thousands",
        f"{len(names):,} column{'s mark' if len(names) > 1 else ' marks'} thousands, as in {example[0]}.",
        len(names),
        tuple(names),
        action=f"Read as numbers, here {example[1]:.12g}.",
        alternatives=("Name the decimal mark",),
    )
