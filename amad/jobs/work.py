"""What a job does, in whichever process: fit, calibrate and score a run, or score a run on one more series."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amad import limits
from amad.errors import AmadError, ConfigError, JobError
from amad.jobs.causes import explain, free_reserve, keep_reserve, log_trace
from amad.jobs.heart import Heart, Stopped
from amad.jobs.many import score_also
from amad.jobs.scoring import Scoring, is_scored, rows_before, scored
from amad.jobs.sites import Here, site
from amad.progress import OnProgress
from amad.workspace.learning import without
from amad.workspace.lookup import match_channels, require_channels
from amad.workspace.processes import peak_bytes
from amad.workspace.states import DONE, FAILED, LOST, STOPPED, Claim
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow

if TYPE_CHECKING:
    from amad.config import Config
    from amad.series import Series
    from amad.workspace.records import RunRecord

CHECKPOINT = "AMAD_CHECKPOINT_SECONDS"


@dataclass(frozen=True)
class Outcome:
    """How a job ended: its state, and for a failure the message and the exception behind it."""

    state: str
    message: str = ""
    error: Exception | None = None


def work(
    workspace: Workspace,
    claim: Claim,
    *,
    on_progress: OnProgress | None = None,
    asked: threading.Event | None = None,
    also: tuple[str, ...] = (),
    own_process: bool = False,
) -> Outcome:
    """Does a claimed job to its end, writes that end into the database, and never raises for a fault of the work.

    `also`: further series (ids) on which a fitted run is scored at once. `own_process`: see `Heart`.
    """
    job = _fit if claim.table is RunRow else _score
    outcome, folder, began = Outcome(DONE), _folder(workspace, claim), time.monotonic()
    keep_reserve(folder)
    with Heart(workspace, claim, on_progress=on_progress, asked=asked, own_process=own_process) as heart:
        try:
            heart.most_seconds = limits.job_seconds()
            if not job(workspace, claim, heart, also):
                outcome = _stopped(heart)
        except Stopped:
            outcome = _stopped(heart)
        except Exception as error:
            outcome = Outcome(FAILED, explain(error, folder), error)
        except BaseException:  # a second Ctrl-C: ends at once, and what was saved can be resumed
            workspace.states.finish(claim, STOPPED, progress=heart.seen)
            raise
    free_reserve(folder)  # a full disk must still take the end of the job
    if claim.table is RunRow:
        _note_found(workspace, claim.id, time.monotonic() - began)
    if outcome.error is not None and not isinstance(outcome.error, AmadError):
        log_trace(folder, outcome.error)
    if not workspace.states.finish(claim, outcome.state, error=outcome.message or None, progress=heart.seen):
        return Outcome(LOST, "Another process has taken this job over.")
    return outcome


def _stopped(heart: Heart) -> Outcome:
    """The end of work that heeded its heart: stopped as asked, or failed because it took longer than a job may."""
    late = heart.too_long()
    return Outcome(FAILED, late, JobError(late)) if late else Outcome(STOPPED)


def _checkpoint_seconds() -> float:
    """Seconds of training between two saved states: what a killed process loses at most."""
    given = os.environ.get(CHECKPOINT, "10")
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise ConfigError(f"{CHECKPOINT} is {given!r}. Set it to seconds from 0 to 86400, or unset it.")
    return seconds


def _folder(workspace: Workspace, claim: Claim) -> Path:
    run_id = claim.id if claim.table is RunRow else workspace.find_scoring(claim.id).run_id
    return workspace.run_folder(run_id)


def _fit(workspace: Workspace, claim: Claim, heart: Heart, also: tuple[str, ...]) -> bool:
    """Trains, calibrates and scores a run, from wherever it stood; False when it was stopped."""
    run = workspace.find_run(claim.id)
    if run.series_id is None:
        raise JobError(f'Run "{run.name}" has lost its training series. Add the series again and start a new run.')
    series = match_channels(run, workspace.open_series(run.series_id))
    others = [_fitting(run, workspace.open_series(key)) for key in also]
    from amad.config import AMAD, make_config

    config = make_config("balanced", {**run.config, "channels": list(run.channels)})
    folder, seconds = workspace.run_folder(run.id), _checkpoint_seconds()
    with site(heart, folder / "log.txt") as place:
        device = place.device(config)
        workspace.update_run(run.id, device=device)
        if config.detector == AMAD and isinstance(place, Here):
            _note_predicted(workspace, run, config, device, series.rows + sum(other.rows for other in others))
        begun = time.monotonic()
        # rows that labels leave out are missing in training, and scored like all others
        done = place.fit(folder, without(folder, series), config, run.part, run.preset, seconds)
        # where a training was stopped and now went on, together with what it took before
        earlier = float(run.cost.get("fit_seconds") or 0.0) if config.detector == AMAD else 0.0
        workspace.note_cost(run.id, fit_seconds=round(earlier + time.monotonic() - begun, 3))
        if not done:
            return False
        detector = place.load(folder, device)
        for key, other in zip((run.series_id, *also), (series, *others), strict=True):
            _write_scores(workspace, run.id, key, detector, other, heart, again=False)
        score_also(workspace, run, detector, heart, place.places)
        _note_peak(workspace, run.id, place.peak())
    return True


def _score(workspace: Workspace, claim: Claim, heart: Heart, also: tuple[str, ...]) -> bool:
    """Scores a finished run on one series."""
    scoring = workspace.find_scoring(claim.id)
    run = workspace.find_run(scoring.run_id)
    series = _fitting(run, workspace.open_series(scoring.series_id))
    folder = workspace.run_folder(run.id)
    with site(heart, folder / "log.txt") as place:
        _write_scores(workspace, run.id, scoring.series_id, place.load(folder), series, heart)
    return True


def _fitting(run: RunRecord, series: Series) -> Series:
    """The series, which has the channels of a run; scoring takes them from it block by block. Errors: InputError."""
    require_channels(run, series.name, series.channels)
    return series


def _write_scores(
    workspace: Workspace,
    run_id: str,
    series_id: str,
    detector: Scoring,
    series: Series,
    heart: Heart,
    again: bool = True,
) -> None:
    """Scores a series, stores the scores, and notes how long so many rows took; goes on where an earlier process stopped.

    Unless `again`, scores that this run has stored already are left as they are.
    """
    begun, record = time.monotonic(), workspace.find_series(series_id)
    if not again and is_scored(workspace, run_id, record, detector):
        return
    before = rows_before(workspace, run_id, record, detector)
    for _ in scored(workspace, run_id, record, detector, series, heart.progress):
        continue
    if before < series.rows:  # what another process did is not in this one's time
        seconds = round(time.monotonic() - begun, 3)
        workspace.note_cost(run_id, score_seconds=seconds, scored_rows=float(series.rows - before))


def _note_predicted(workspace: Workspace, run: RunRecord, config: Config, device: str, scored: int) -> None:
    """Writes down what the run is expected to take, unless somebody did before."""
    if "predicted_seconds" in run.cost:
        return
    from amad.training import predict_cost

    with suppress(RuntimeError, MemoryError):  # a model that does not fit says so when it is trained
        seconds, amount = predict_cost(run.part[1] - run.part[0], len(run.channels), config, device, scored=scored)
        workspace.note_cost(run.id, predicted_seconds=round(seconds, 2), predicted_bytes=float(amount))


def _note_found(workspace: Workspace, run_id: str, seconds: float) -> None:
    """Adds what this process spent on a run to its seconds, and the most memory it held to its bytes."""
    with suppress(AmadError):
        cost = workspace.find_run(run_id).cost
        workspace.note_cost(run_id, seconds=round(cost.get("seconds", 0.0) + seconds, 2))
        _note_peak(workspace, run_id, peaks())


def _note_peak(workspace: Workspace, run_id: str, found: dict[str, float]) -> None:
    """Raises a run's bytes and bytes of a GPU to what was found."""
    cost = workspace.find_run(run_id).cost
    workspace.note_cost(run_id, **{name: max(amount, cost.get(name, 0.0)) for name, amount in found.items()})


def peaks() -> dict[str, float]:
    """The most `bytes` this process has held, and `gpu_bytes` of a GPU, as far as that is known."""
    found, peak = {}, peak_bytes()
    if peak is not None:
        found["bytes"] = peak
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available() and torch.cuda.is_initialized():
            found["gpu_bytes"] = float(torch.cuda.max_memory_reserved())  # what recorded batches keep, too
    return found
