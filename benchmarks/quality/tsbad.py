"""Files of the TSB-AD-M format: `NNN_NAME_id_K_GROUP_tr_N_1st_M.csv`, last column `Label`.

As that benchmark does it (Liu and Paparrizos, "The Elephant in the Room", NeurIPS 2024; TSB-AD 1.5): a detector learns on
the first N rows and scores the whole file, these rows included; the window of VUS is estimated from the first channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import argrelextrema

from amad.errors import InputError
from benchmarks.quality.sources import Data, Entity

NAME = re.compile(r"(?P<number>\d+)_(?P<name>.+?)_id_(?P<id>\d+)_(?P<group>.+?)_tr_(?P<train>\d+)_1st_(?P<first>\d+)")
LONGEST, LAGS, BASE, OTHERWISE = 20_000, 400, 3, 125


@dataclass(frozen=True)
class TsbEntity:
    """One file; its name says how many rows are for learning."""

    path: Path
    train_rows: int

    def load(self) -> Data:
        """Reads it. Errors: InputError for a file without the column `Label`, or shorter than its name says."""
        frame = pd.read_csv(self.path).dropna()
        if frame.columns[-1] != "Label":
            raise InputError(f'{self.path}: the last column is "{frame.columns[-1]}", not "Label".')
        values = frame.iloc[:, :-1].to_numpy(np.float64)
        if not 0 < self.train_rows < len(values):
            raise InputError(
                f"{self.path} has {len(values):,} rows; its name says that {self.train_rows:,} are for learning."
            )
        scored = values.astype(np.float32)
        labels = frame["Label"].to_numpy().astype(np.int8)
        return Data(scored[: self.train_rows], scored, labels, window=vus_window(values[:, 0]))


def entities(data: Path) -> dict[str, Entity]:
    """Every file of that form in a folder, by NAME/file name."""
    found: dict[str, Entity] = {}
    for path in sorted(data.glob("*.csv")):
        parts = NAME.fullmatch(path.stem)
        if parts:
            found[f"{parts['name']}/{path.stem}"] = TsbEntity(path, int(parts["train"]))
    return found


def vus_window(values: NDArray[np.floating]) -> int:
    """Rows of the window of VUS from one channel (T,): TSB-AD's `find_length_rank(values, rank=1)`, its quirks included.

    The lag, at least 4, of the highest local peak of the autocorrelation of the first 20,000 rows up to lag 400; 125
    where there is none, or where it lies below lag 6 or above lag 303.
    """
    series = np.asarray(values, np.float64)[:LONGEST]
    series = series - series.mean()
    size = scipy.fft.next_fast_len(2 * len(series) + 1)
    spectrum = scipy.fft.rfft(series, size)
    covariance = scipy.fft.irfft(spectrum * spectrum.conj(), size)[: len(series)]
    if not covariance[0] > 0:
        return OTHERWISE
    correlation = (covariance / covariance[0])[: LAGS + 1][BASE:]
    peaks = argrelextrema(correlation, np.greater)[0]
    if not len(peaks):
        return OTHERWISE
    highest = int(peaks[np.argsort(correlation[peaks])[-1]])
    return OTHERWISE if highest < 3 or highest > 300 else highest + BASE
