"""The five published benchmarks as their publishers give them: SMD, MSL, SMAP, PSM and SWaT.

| benchmark | recognised by |
|---|---|
| SMD | folders `train`, `test`, `test_label` of text files, `interpretation_label` where it is there |
| MSL, SMAP | folders `train` and `test` of NumPy arrays and `labeled_anomalies.csv` (beside or above them) |
| PSM | `train.csv`, `test.csv`, `test_label.csv`; the first column is a minute counter |
| SWaT | a CSV of normal operation and one with attacks, last column `Normal/Attack` |

A folder that holds several of them, each in a folder of its own, does as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amad.errors import InputError
from benchmarks.quality.sources import Data, Entity, read_causes

SWAT_LABEL = "Normal/Attack"


def entities(data: Path) -> dict[str, Entity]:
    """Every entity of the published benchmarks in a folder, or in the folders in it, by dataset/entity."""
    found: dict[str, Entity] = {}
    inside = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    for folder in (data, *inside, *(deeper for path in inside for deeper in sorted(path.iterdir()) if deeper.is_dir())):
        for reader in READERS:
            found |= {name: entity for name, entity in reader(folder).items() if name not in found}
    return found


@dataclass(frozen=True)
class SmdEntity:
    """One machine of the Server Machine Dataset."""

    root: Path
    machine: str

    def load(self) -> Data:
        """Reads it. Errors: InputError naming the file."""
        train, test = (_text(self.root / part / f"{self.machine}.txt") for part in ("train", "test"))
        labels = _text(self.root / "test_label" / f"{self.machine}.txt").ravel()
        causes = read_causes(self.root / "interpretation_label" / f"{self.machine}.txt", test.shape[1])
        return Data(train, test, _marks(labels, len(test), self.root / "test_label" / f"{self.machine}.txt"), causes)


@dataclass(frozen=True)
class TelemanomEntity:
    """One channel of MSL or SMAP with its labelled intervals (both ends belong to the event)."""

    root: Path
    channel: str
    intervals: tuple[tuple[int, int], ...]

    def load(self) -> Data:
        """Reads it. Errors: InputError naming the file."""
        train, test = (_array(self.root / part / f"{self.channel}.npy") for part in ("train", "test"))
        labels = np.zeros(len(test), np.int8)
        for first, last in self.intervals:
            labels[first : last + 1] = 1
        return Data(train, test, labels)


@dataclass(frozen=True)
class PsmEntity:
    """The Pooled Server Metrics: one series."""

    root: Path

    def load(self) -> Data:
        """Reads it. Errors: InputError naming the file."""
        train, test = (_table(self.root / f"{part}.csv").iloc[:, 1:] for part in ("train", "test"))
        labels = _table(self.root / "test_label.csv").iloc[:, -1].to_numpy()
        marks = _marks(labels, len(test), self.root / "test_label.csv")
        return Data(train.to_numpy(np.float32), test.to_numpy(np.float32), marks)


@dataclass(frozen=True)
class SwatEntity:
    """Secure Water Treatment: normal operation to learn on, operation under attack to score."""

    normal: Path
    attack: Path

    def load(self) -> Data:
        """Reads it. Errors: InputError naming the file."""
        values, marks = [], np.zeros(0)
        for path in (self.normal, self.attack):
            frame = _table(path, skip=_swat_header(path) or 0)
            frame.columns = [str(name).strip() for name in frame.columns]
            said = frame.pop(SWAT_LABEL)
            words = said.astype(str).str.replace(" ", "").str.lower()
            marks = (~words.isin(["normal", "0", "0.0"])).to_numpy(np.int8)
            frame = frame.drop(columns=[name for name in frame.columns if name.lower() == "timestamp"])
            values.append(frame.apply(pd.to_numeric, errors="coerce").to_numpy(np.float32))
        return Data(values[0], values[1], marks)


def _smd(folder: Path) -> dict[str, Entity]:
    if not all((folder / part).is_dir() for part in ("train", "test", "test_label")):
        return {}
    machines = sorted(path.stem for path in (folder / "test_label").glob("*.txt"))
    return {f"SMD/{machine}": SmdEntity(folder, machine) for machine in machines}


def _telemanom(folder: Path) -> dict[str, Entity]:
    if not all((folder / part).is_dir() for part in ("train", "test")):
        return {}
    lists = [place / "labeled_anomalies.csv" for place in (folder, folder.parent)]
    path = next((path for path in lists if path.is_file()), None)
    if path is None:
        return {}
    table = pd.read_csv(path)
    wanted = {"chan_id", "spacecraft", "anomaly_sequences"}
    if not wanted <= set(table.columns):
        raise InputError(f"{path} lacks the columns {', '.join(sorted(wanted - set(table.columns)))}.")
    intervals: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for craft, channel, said in zip(table["spacecraft"], table["chan_id"], table["anomaly_sequences"], strict=True):
        pairs = [(int(first), int(last)) for first, last in ast.literal_eval(said)]
        intervals.setdefault((craft, channel), []).extend(pairs)
    return {
        f"{craft}/{channel}": TelemanomEntity(folder, channel, tuple(sorted(set(pairs))))
        for (craft, channel), pairs in sorted(intervals.items())
        if (folder / "test" / f"{channel}.npy").is_file() and (folder / "train" / f"{channel}.npy").is_file()
    }


def _psm(folder: Path) -> dict[str, Entity]:
    present = all((folder / f"{part}.csv").is_file() for part in ("train", "test", "test_label"))
    return {"PSM/psm": PsmEntity(folder)} if present else {}


def _swat(folder: Path) -> dict[str, Entity]:
    labelled = [path for path in sorted(folder.glob("*.csv")) if _swat_header(path) is not None]
    normal = [path for path in labelled if "normal" in path.name.lower()]
    attack = [path for path in labelled if "attack" in path.name.lower()]
    return {"SWaT/swat": SwatEntity(normal[0], attack[0])} if normal and attack else {}


READERS: tuple[Callable[[Path], dict[str, Entity]], ...] = (_smd, _telemanom, _psm, _swat)


def _swat_header(path: Path) -> int | None:
    """Lines before the header of a SWaT CSV; None where it is none. Exports of its workbook have a line of groups first."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in zip(range(2), file, strict=False):
            if line.strip().endswith(SWAT_LABEL):
                return number
    return None


def _text(path: Path) -> NDArray[np.float32]:
    if not path.is_file():
        raise InputError(f"{path} is missing.")
    return pd.read_csv(path, header=None, dtype=np.float32).to_numpy()


def _array(path: Path) -> NDArray[np.float32]:
    try:
        return np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a NumPy array of numbers ({error}).") from error


def _table(path: Path, skip: int = 0) -> pd.DataFrame:
    return pd.read_csv(path, skiprows=skip, encoding="utf-8-sig", low_memory=False)


def _marks(labels: NDArray, rows: int, path: Path) -> NDArray[np.int8]:
    if len(labels) != rows:
        raise InputError(f"{path} has {len(labels):,} labels, its test part {rows:,} rows.")
    return labels.astype(np.int8)
