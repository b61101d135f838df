"""Reading of files into a series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amad.errors import InputError
from amad.series.series import Report, Series


def read(
    path: Path | str | Sequence[Path | str],
    *,
    name: str | None = None,
    time: str | None = None,
    label: str | None = None,
    missing: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    timezone: str | None = None,
    day_first: bool | None = None,
) -> Series:
    """Reads one file, or several as one, into a series."""
    import pandas as pd

    file = Path(path if isinstance(path, str | Path) else path[0])
    if not file.is_file():
        raise InputError(f"{file}: not found.")
    if file.suffix == ".parquet":
        table = pd.read_parquet(file)
    else:
        table = pd.read_csv(file, sep=separator or None, engine="python", encoding=encoding)
    stamps = time or next((c for c in table.columns if c in ("timestamp", "datetime", "date")), None)
    labels = label or next((c for c in table.columns if c in ("label", "anomaly")), None)
    index = None if stamps is None else pd.DatetimeIndex(pd.to_datetime(table.pop(stamps)))
    marks = None if labels is None else (table.pop(labels).to_numpy() != 0).astype(np.int8)
    values = table.select_dtypes("number").to_numpy(dtype=np.float32)
    channels = tuple(map(str, table.select_dtypes("number").columns))
    return Series(name or file.stem, values, channels, index, marks, Report(len(values)), stamps, labels)
