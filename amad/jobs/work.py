"""What a job does, in whichever process: fit, calibrate and score a run, or score a run on one more series."""

from __future__ import annotations

import errno
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from amad.errors import AmadError, ConfigError, JobError
from amad.jobs.heart import Heart, Stopped
from amad.workspace.lookup import match_channels
from amad.workspace.records import clean_text
from amad.workspace.states import DONE, FAILED, LOST, STOPPED, Claim
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow

if TYPE_CHECKING:
    from amad.training import Progress

CHECKPOINT = "AMAD_CHECKPOINT_SECONDS"
OnProgress = Callable[["Progress"], None]


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
    outcome, folder = Outcome(DONE), _folder(workspace, claim)
    with Heart(workspace, claim, on_progress=on_progress, asked=asked, own_process=own_process) as heart:
        try:
            if not job(workspace, claim, heart, also):
                outcome = Outcome(STOPPED)
        except Stopped:
            outcome = Outcome(STOPPED)
        except Exception as error:
            outcome = Outcome(FAILED, explain(error, folder), error)
        except BaseException:  # a second Ctrl-C: ends at once, and what was saved can be resumed
            workspace.states.finish(claim, STOPPED, progress=heart.seen)
            raise
    if outcome.error is not None and not isinstance(outcome.error, AmadError):
        log_trace(folder, outcome.error)
    if not workspace.states.finish(claim, outcome.state, error=outcome.message or None, progress=heart.seen):
        return Outcome(LOST, "Another process has taken this job over.")
    return outcome


def explain(error: Exception, folder: Path) -> str:
    """One message for whatever stopped the work."""
    if isinstance(error, AmadError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "Out of memory. Set a smaller batch_size, d_model or window, or choose another device, and resume."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full. Make room and resume."
    text = clean_text(str(error), 300).rstrip(".")
    return f"{type(error).__name__}: {text}. The whole trace is in {folder / 'log.txt'}."


def log_trace(folder: Path, error: Exception) -> None:
    """Adds an error's trace to log.txt of its run, where that can still be written."""
    try:
        with (folder / "log.txt").open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} failed\n")
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return


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
    others = [match_channels(run, workspace.open_series(key)) for key in also]
    from amad.config import AMAD, make_config
    from amad.evaluation.baselines.run import fit_baseline, load_run

    config = make_config("balanced", {**run.config, "channels": list(run.channels)})
    if config.detector != AMAD:
        workspace.update_run(run.id, device="cpu")
        folder = workspace.run_folder(run.id)
        fit_baseline(folder, series, config, part=run.part, preset=run.preset, on_progress=heart.progress)
        baseline = load_run(folder)
        for key, scored in zip((run.series_id, *also), (series, *others), strict=True):
            workspace.write_scores(run.id, key, baseline.blocks(scored.values, heart.progress))
        return True
    # torch is loaded only now: whatever is wrong with the call has been said before
    from amad.detection import Detector, fit_run
    from amad.training import resolve_device

    device = resolve_device(config.device)
    workspace.update_run(run.id, device=device)
    folder = workspace.run_folder(run.id)
    done = fit_run(
        folder,
        series,
        config,
        part=run.part,
        resume=True,
        on_progress=heart.progress,
        should_stop=heart.should_stop,
        checkpoint_seconds=_checkpoint_seconds(),
    )
    if not done:
        return False
    detector = Detector.load(folder, device)
    for key, scored in zip((run.series_id, *also), (series, *others), strict=True):
        workspace.write_scores(run.id, key, detector.blocks(scored.values, heart.progress))
    return True


def _score(workspace: Workspace, claim: Claim, heart: Heart, also: tuple[str, ...]) -> bool:
    """Scores a finished run on one series."""
    scoring = workspace.find_scoring(claim.id)
    run = workspace.find_run(scoring.run_id)
    series = match_channels(run, workspace.open_series(scoring.series_id))
    from amad.evaluation.baselines.run import load_run

    detector = load_run(workspace.run_folder(run.id))
    workspace.write_scores(run.id, scoring.series_id, detector.blocks(series.values, heart.progress))
    return True
