"""CSV that no spreadsheet runs: text that could be a formula gets an apostrophe, which our readers take away again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# a spreadsheet runs a cell that starts so; an apostrophe before it makes it text
_FORMULA = re.compile(r"'*[=+\-@\t\r\n|%]")


def guard(text: str) -> str:
    """Text with an apostrophe before it where a spreadsheet would run it."""
    return "'" + text if _FORMULA.match(text) else text


def bare(text: str) -> str:
    """What `guard` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def csv_text(frame: pd.DataFrame, **options: Any) -> str:
    """A table as CSV without its index; names of columns and cells of text are guarded, numbers and times are not text.

    `options` are those of `DataFrame.to_csv`.
    """
    safe = frame.set_axis([guard(str(name)) for name in frame.columns], axis=1)
    for place, kind in enumerate(frame.dtypes):
        if kind.kind == "O" or str(kind) in ("str", "string", "category"):
            cells = [guard(cell) if isinstance(cell, str) else cell for cell in frame.iloc[:, place]]
            safe.isetitem(place, cells)
    return str(safe.to_csv(index=False, **options))
