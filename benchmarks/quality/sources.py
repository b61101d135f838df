"""Labelled series to measure on: folders of Parquet files, cuts of long ones, and where every other layout is recognised.

A source gives entities by name, `dataset/entity`. An entity is a small description that can be sent to another process;
`load()` reads its values. Layouts: `<dataset>/<entity>/{train,test}.parquet` (here), the published benchmarks
(`published`), files of the TSB-AD-M format (`tsbad`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amad.errors import InputError

BUNDLED = Path(__file__).parents[1] / "data"
NOT_RANKED = ("SKAB", "3W-class2", "Occupancy")  # position in the file, or presence of people, is most of the label
NOT_CHANNELS = ("label", "timestamp")
# Long parts are cut in the size `core`; see `Cut`.
TEST_ROWS, TRAIN_ROWS, STEP = 20_000, 50_000, 1_000


@dataclass(frozen=True, eq=False)
class Data:
    """Values (n, C) to learn on, values (T, C) to score, labels (T,) of 0 and 1, and what is known of events.

    `causes`: (first row, row after the last, channels from 0) of events whose channels are published. `window`: rows of
    the metrics that tolerate a distance. `ratio`: the share of rows that the published protocol flags; None: it is not used.
    """

    train: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[np.int8]
    causes: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    window: int = 100
    ratio: float | None = None


class Entity(Protocol):
    """One series with a training part and a labelled test part."""

    def load(self) -> Data:
        """Reads it. Errors: InputError naming the file."""


@dataclass(frozen=True)
class ParquetEntity:
    """`train.parquet` and `test.parquet` (0/1 column `label`) of a folder; `interpretation_label.txt` where it is there."""

    folder: Path

    def load(self) -> Data:
        """Reads it. Errors: InputError for a folder that lacks a file, or a test part without labels."""
        frames = {}
        for part in ("train", "test"):
            path = self.folder / f"{part}.parquet"
            if not path.is_file():
                raise InputError(f"{self.folder} has no {part}.parquet. Name entities as dataset/entity.")
            frames[part] = pd.read_parquet(path)
        if "label" not in frames["test"]:
            raise InputError(f'{self.folder}/test.parquet has no column "label". Add it: 0 normal, 1 anomalous.')
        channels = [name for name in frames["test"].columns if name not in NOT_CHANNELS]
        values = {part: frame[channels].to_numpy(np.float32) for part, frame in frames.items()}
        labels = frames["test"]["label"].to_numpy(np.int8)
        # SMD writes the row after the event, ASD the event's last row.
        inclusive = self.folder.parent.name == "ASD"
        causes = read_causes(self.folder / "interpretation_label.txt", len(channels), inclusive=inclusive)
        return Data(values["train"], values["test"], labels, causes)


@dataclass(frozen=True)
class Cut:
    """A long entity cut short: of the test part one stretch with the most whole events, of the training part its last rows.

    Test parts of more than 20,000 rows: of the stretches of that length that begin on a multiple of 1,000 rows, or end
    with the part, the first that holds the most whole events; an event that lies across an end of it is left out, by
    moving that end to the event's inner edge. Training parts of more than 50,000 rows: their last 50,000.
    """

    entity: Entity

    def load(self) -> Data:
        """Reads it and cuts it."""
        data = self.entity.load()
        start, stop = stretch(data.labels, TEST_ROWS)
        causes = tuple((a - start, b - start, names) for a, b, names in data.causes if start <= a and b <= stop)
        return Data(data.train[-TRAIN_ROWS:], data.test[start:stop], data.labels[start:stop], causes, data.window)


def stretch(labels: NDArray[np.int8], rows: int) -> tuple[int, int]:
    """First row and row after the last of what `Cut` keeps of a test part with these labels (T,)."""
    if len(labels) <= rows:
        return 0, len(labels)
    edges = np.diff(labels.astype(np.int8), prepend=0, append=0)
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    starts = np.append(np.arange(0, len(labels) - rows, STEP), len(labels) - rows)
    counts = [int(((begins >= start) & (ends <= start + rows)).sum()) for start in starts]
    start = int(starts[int(np.argmax(counts))])
    stop = start + rows
    for begin, end in zip(begins, ends, strict=True):
        if begin < start < end:
            start = int(end)
        if begin < stop < end:
            stop = int(begin)
    return start, stop


def read_causes(path: Path, channels: int, *, inclusive: bool = False) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """Events of an interpretation list, as `amad.evaluation.attribution` reads it; none where there is no such file.

    Errors: InputError naming file and line, or a channel that the series does not have.
    """
    from amad.evaluation.attribution import read_interpretation

    if not path.is_file():
        return ()
    found = read_interpretation(path, inclusive=inclusive)
    for event in found:
        if event.channels[-1] >= channels:
            raise InputError(
                f"{path}: the event {event.start}-{event.end} names channel {event.channels[-1] + 1} of {channels}."
            )
    return tuple((event.start, event.end, event.channels) for event in found)


def find(data: Path) -> dict[str, Entity]:
    """Every entity under a folder by name, whichever layout it has. Errors: InputError when there is none."""
    from benchmarks.quality import published, tsbad

    readers: tuple[Callable[[Path], Mapping[str, Entity]], ...] = (parquet_entities, tsbad.entities, published.entities)
    for reader in readers:
        entities = dict(reader(data))
        if entities:
            return entities
    raise InputError(
        f"{data} holds no series that are recognised: <dataset>/<entity>/{{train,test}}.parquet, the published files of "
        "SMD, MSL, SMAP, PSM or SWaT, or files named NNN_NAME_id_K_GROUP_tr_N_1st_M.csv. Name the folder that holds them."
    )


def parquet_entities(data: Path) -> dict[str, Entity]:
    """What is ranked of <dataset>/<entity>/test.parquet under a folder; a dataset's own folder does as well."""
    for pattern, root in (("*/*/test.parquet", data), ("*/test.parquet", data.parent)):
        found = sorted(path.parent for path in data.glob(pattern))
        names = {folder.relative_to(root).as_posix(): ParquetEntity(folder) for folder in found}
        if names:
            return {name: entity for name, entity in names.items() if name.split("/")[0] not in NOT_RANKED}
    return {}
