"""What the pages on attention read: maps of a window, frequencies, history, spectra; each worked out once while it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from amad.errors import AmadError
from amad.plots.style import clock
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, workspace

MOST_BYTES = 1_000_000_000  # maps of one window that take more are not made: the browser's machine is this one
_MOST_ROWS = 20_000  # rows of the training part that the spectrum of the data looks at


@dataclass(frozen=True)
class Maps:
    """Maps of one window for a choice of block and head: local, global_, mixed (L, L), cad (L,) nats, mixing of P (L,)."""

    local: NDArray[np.float32]
    global_: NDArray[np.float32]
    mixed: NDArray[np.float32]
    cad: NDArray[np.float32]
    mixing: NDArray[np.float32]


def calibrated(run: RunRecord) -> bool:
    """Whether the run can look into a window: its training and calibration are finished."""
    folder = workspace.get().run_folder(run.id)
    return all((folder / name).is_file() for name in ("model.safetensors", "detection.safetensors", "detection.json"))


@st.cache_resource(max_entries=4, show_spinner=False)
def _detector(run_id: str, mark: tuple[int, int]) -> Any:
    from amad.detection import Detector

    return Detector.load(workspace.get().run_folder(run_id), device="cpu")


def detector(run: RunRecord) -> Any:
    """The run's detector on the CPU: one window is too little for any other device. Errors: CheckpointError."""
    return _detector(run.id, cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _values(run_id: str, series_id: str, created: str) -> Any:
    return workspace.get().series_for_run(run_id, series_id).values


def _series_values(run: RunRecord, record: SeriesRecord) -> Any:
    return _values(run.id, record.id, str(record.created))


@st.cache_resource(max_entries=4, show_spinner=False)
def _window(run_id: str, series_id: str, created: str, at: int, mark: tuple[int, int]) -> dict[str, NDArray[Any]]:
    from amad.inspection import inspect

    return dict(inspect(_detector(run_id, mark), _values(run_id, series_id, created), at))


def span(run: RunRecord, record: SeriesRecord, at: int) -> tuple[int, int]:
    """First row and length of the window around row `at`, as `amad.inspection.inspect` cuts it; needs no model."""
    length = int(run.config["window"])
    return min(max(at - length // 2, 0), max(record.rows - length, 0)), length


def size(run: RunRecord) -> int:
    """Bytes that the maps of one window take: P, A and G of every block and head."""
    return 12 * int(run.config["blocks"]) * int(run.config["heads"]) * int(run.config["window"]) ** 2


def seen(run: RunRecord, record: SeriesRecord) -> bool:
    """Whether the run can look into windows of the series: it is calibrated, a window fits, and its maps fit into memory."""
    return calibrated(run) and record.rows >= int(run.config["window"]) and size(run) <= MOST_BYTES


def window(run: RunRecord, record: SeriesRecord, at: int) -> dict[str, NDArray[Any]]:
    """What `amad.inspection.inspect` says of the window around row `at`; kept, so read it only. Errors: AmadError."""
    version = cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors")
    return _window(run.id, record.id, str(record.created), at, version)


def chosen(found: dict[str, NDArray[Any]], block: int | None, head: int | None) -> Maps:
    """The maps of a block and head (from 0; None = mean over all) of what `window` gave."""
    blocks = slice(None) if block is None else slice(block, block + 1)
    heads = slice(None) if head is None else slice(head, head + 1)
    length = found["local"].shape[-1]
    mixing = found["mixing"] if found["mixing"].ndim == 3 else found["mixing"][..., None].repeat(length, axis=-1)
    picked = {
        name: values[blocks, heads].mean(axis=(0, 1))
        for name, values in (
            ("local", found["local"]),
            ("global_", found["global"]),
            ("mixed", found["mixed"]),
            ("cad", found["cad_heads"]),
            ("mixing", mixing),
        )
    }
    return Maps(**picked)


@st.cache_data(max_entries=16, show_spinner=False)
def _spectrum(run_id: str, series_id: str, created: str, residual: bool, mark: tuple[int, int]) -> dict[str, Any]:
    from amad.inspection import spectrum

    run = workspace.get().find_run(run_id)
    values = _values(run_id, series_id, created)
    start, stop = run.part if run.series_id == series_id else (0, len(values))
    start = max(start, stop - _MOST_ROWS)
    if residual:
        _, seen = _detector(run_id, mark).scorer.scaled_and_residual(values, start, stop)
    else:
        seen = np.asarray(values[start:stop])
    return dict(spectrum(seen))


def spectrum(run: RunRecord, record: SeriesRecord) -> tuple[dict[str, Any], bool] | None:
    """Welch spectrum of what the model sees in its training part, and whether that is the residual of a linear part.

    Before calibration the residual is not known: then it is the series itself. None where it cannot be had.
    """
    residual = calibrated(run) and run.config.get("linear", "pca") != "none"
    version = cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors")
    try:
        return _spectrum(run.id, record.id, str(record.created), residual, version), residual
    except AmadError:
        return None


@st.cache_data(max_entries=16, show_spinner=False)
def _mask(
    run_id: str, series_id: str, created: str, block: int, head: int | None, before: bool, mark: tuple[int, int]
) -> dict[str, Any]:
    from amad.inspection import frequencies, mask

    run = workspace.get().find_run(run_id)
    found = _window(run_id, series_id, created, 0, mark)
    heads = slice(None) if head is None else slice(head, head + 1)
    omega, weights = found["omega"], found["weights"]
    if before:
        path = frequencies(workspace.get().run_folder(run_id))
        omega, weights = path["initial_omega"], path["initial_weights"]
    made = mask(
        omega[block, heads],
        weights[block, heads],
        found["phases"][block, heads],
        form=str(run.config.get("form", "sum")),
        length=int(run.config.get("window", 100)),
    )
    # The pages draw the mean over heads of the map; a map a head would be heads times as much to keep.
    return {
        "map": made["map"].mean(axis=0),
        **{name: made[name] for name in ("steps", "lags", "kernel", "gain") if name in made},
    }


def mask(run: RunRecord, record: SeriesRecord, block: int, head: int | None, *, before: bool = False) -> dict[str, Any]:
    """The mask of a block: kernel (heads, L) over lags (L,), map (L, L), for form sum gain (heads, L) over steps (L,).

    `before` takes frequencies and weights from before training; the phases are those after it. Errors: AmadError.
    """
    version = cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors")
    return _mask(run.id, record.id, str(record.created), block, head, before, version)


@st.cache_data(max_entries=16, show_spinner=False)
def _strength(run_id: str, series_id: str, created: str, mark: tuple[int, int]) -> NDArray[np.float64]:
    from amad.inspection import strength

    return np.asarray(strength(_detector(run_id, mark), _values(run_id, series_id, created)))


def strength(run: RunRecord, record: SeriesRecord) -> NDArray[np.float64]:
    """Share (N, H, F, J) of each frequency in the local scores of the series, 1 in every head. Errors: AmadError."""
    version = cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors")
    return _strength(run.id, record.id, str(record.created), version)


def seconds_per_step(record: SeriesRecord) -> float | None:
    """The usual time between two rows, None without a clock."""
    time = cached.series(record).time
    if not isinstance(time, pd.DatetimeIndex) or len(time) < 2:
        return None
    step = float(np.median(np.diff(time[: min(len(time), 10_000)].to_numpy())) / np.timedelta64(1, "s"))
    return step if step > 0 else None


def strongest_periods(omega: NDArray[Any], weights: NDArray[Any], step: float | None, most: int = 200) -> pd.DataFrame:
    """Table of periods, the strongest bank first: omega (N, H, F, J) radians per step, weights (N, H, F)."""
    shape = omega.shape
    block, head, bank, _ = (axis.ravel() + 1 for axis in np.indices(shape))
    weight = np.broadcast_to(weights[..., None], shape).ravel()
    period = (2 * np.pi / omega).ravel()
    order = np.lexsort((period, -np.abs(weight)))[:most]
    table = pd.DataFrame(
        {
            "Block": block[order],
            "Head": head[order],
            "Bank": bank[order],
            "Period (steps)": np.round(period[order], 3),
            "Weight": np.round(weight[order], 4),
        }
    )
    if step is not None:
        table.insert(4, "Period (s)", np.round(period[order] * step, 3))
        table.insert(4, "Clock time", [clock(value * step) for value in period[order]])
    return table


def threshold(run: RunRecord, record: SeriesRecord) -> float | None:
    """The run's own threshold of the score on a series; None where it cannot be had."""
    try:
        return cached.own_threshold(run, record)
    except AmadError:
        return None


def events(run: RunRecord, record: SeriesRecord) -> list[Any]:
    """Events of the score above the run's own threshold; none before scoring."""
    level = threshold(run, record)
    if level is None or not workspace.get().has_scores(run.id, record.id):
        return []
    gap, least = int(run.config.get("merge_gap", 5)), int(run.config.get("min_length", 1))
    return list(cached.events(run, record, "score", level, merge_gap=gap, min_length=least))


def cad(run: RunRecord, record: SeriesRecord) -> NDArray[np.float32] | None:
    """CAD of every row of the series (T,) in nats; None before scoring."""
    found = cached.scores(run, record)
    return None if found is None or "cad" not in found.names else cached.column(run, record, "cad")
