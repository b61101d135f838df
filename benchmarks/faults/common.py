"""What the parts share: a tiny training and its unbroken result, processes that work on a job, and one line of findings."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import amad.detection.calibrating
import amad.training  # noqa: F401  loaded here once, and not in each process that is killed
from amad import jobs
from amad.config import make_config
from amad.jobs.work import work
from amad.progress import Progress
from amad.series import Series
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.states import Table
from amad.workspace.tables import RunRow

STEPS = 120  # optimiser steps of the training
FILES = ("model.safetensors", "detection.safetensors", "detection.json")
SETTINGS: dict[str, Any] = {
    "window": 32, "stride": 2, "score_stride": 16, "d_model": 16, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 32,
    "max_steps": STEPS, "epochs": 1000, "batch_size": 32, "linear_rows": 8, "linear_components": 4, "device": "cpu",
}  # fmt: skip
ROWS, CHANNELS = 1200, tuple("abcdef")
FORK = multiprocessing.get_context("fork")  # torch is loaded once, not once a kill
OnStep = Callable[[Progress], None]


@dataclass(frozen=True)
class Options:
    """What was asked for; `draw` chooses every random moment."""

    kills: int
    scoring_kills: int
    locked: float
    draw: random.Random


@dataclass(frozen=True)
class Line:
    """One row of the table: what was done, how often, how much was lost by it, and what was found in words."""

    part: str
    what: str
    tried: int
    lost: int
    found: str


def series(rows: int = ROWS, seed: int = 7) -> Series:
    """Random numbers: what is in a series does not matter here."""
    values = np.random.default_rng(seed).normal(size=(rows, len(CHANNELS))).astype(np.float32)
    return Series(f"faults {seed}", values, CHANNELS)


def new_run(workspace: Workspace, record: SeriesRecord, name: str) -> str:
    """The id of a run that waits; all of them are one and the same training."""
    config = make_config("quick", SETTINGS)
    run = workspace.create_run(record.id, name=name, preset="quick", config=config, part=(0, 900)).id
    workspace.note_cost(run, predicted_seconds=0.0)  # predicting takes longer than this training
    return run


def begun(folder: Path) -> tuple[Workspace, SeriesRecord, str]:
    """A workspace with a series, and the id of the run on it that nothing disturbed."""
    workspace = Workspace.open(folder)
    record = workspace.add_series(series())
    unbroken = new_run(workspace, record, "unbroken")
    finish(workspace, unbroken)
    return workspace, record, unbroken


def content(workspace: Workspace, run: str) -> list[bytes]:
    """The bytes of a finished run that have to be equal."""
    return [(workspace.run_folder(run) / name).read_bytes() for name in FILES]


def start(workspace: Workspace, job: str, table: Table = RunRow, on_progress: OnStep | None = None) -> Any:
    """A process that works on a job."""
    process = FORK.Process(target=_work, args=(workspace.path, job, table, on_progress))
    process.start()
    return process


def finish(workspace: Workspace, job: str, table: Table = RunRow) -> None:
    """Has a process work on a job to its end."""
    start(workspace, job, table).join()


def state_of(workspace: Workspace, job: str, table: Table = RunRow) -> str:
    """The state of a job."""
    return workspace.find_run(job).state if table is RunRow else workspace.find_scoring(job).state


def resume(workspace: Workspace, run: str) -> None:
    """Has a run wait again that was killed or failed; nothing is started for it."""
    jobs.refresh(workspace)
    jobs.resume(workspace, run)


def tell(words: str) -> None:
    """Shows how far it is."""
    print(f"\r{words}", end="", file=sys.stderr, flush=True)


def _work(path: Path, job: str, table: Table, on_progress: OnStep | None) -> None:
    workspace = Workspace.open(path)
    claim = workspace.states.claim(table, job)
    if claim is not None:
        work(workspace, claim, on_progress=on_progress)
    os._exit(0)
