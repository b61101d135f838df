"""Kills a scoring at random moments, asks for it again, and compares the bits of the scores with those of one never killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from amad import jobs
from amad.detection import scoring
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.tables import ScoringRow
from benchmarks.faults.common import Line, Options, finish, new_run, series, start, state_of, tell

ROWS, BLOCK = 40_000, 1024  # rows of the series, and of a block: some forty blocks


def measure(folder: Path, options: Options) -> list[Line]:
    """Scores one series after the other with one run, killed up to four times each, until so many kills are made."""
    scoring.FEWEST_BLOCK_ROWS, scoring.BLOCK_CELLS = BLOCK, 1
    workspace = Workspace.open(folder)
    run = new_run(workspace, workspace.add_series(series()), "scores")
    finish(workspace, run)
    long = series(ROWS, seed=8)
    whole = workspace.add_series(long, name="unbroken")
    began = time.monotonic()
    finish(workspace, _ask(workspace, run, whole), ScoringRow)
    seconds = time.monotonic() - began
    wanted = _bits(workspace, run, whole)
    kills = number = equal = failed = differ = again = 0
    while kills < options.scoring_kills:
        record = workspace.add_series(long, name=f"killed {number}")
        number += 1
        for _ in range(options.draw.randint(1, 4)):
            if kills == options.scoring_kills:
                break
            before = workspace.partial_rows(run, record.id)
            job = _ask(workspace, run, record)
            worker = start(workspace, job, ScoringRow)
            worker.join(options.draw.uniform(0, 1.1 * seconds))
            worker.kill()
            worker.join()
            jobs.refresh(workspace)
            if state_of(workspace, job, ScoringRow) == "done":
                break
            kills += 1
            again += workspace.partial_rows(run, record.id) < before  # it must go on, not begin again
            tell(f"scoring: {kills} of {options.scoring_kills} kills")
        if state_of(workspace, job, ScoringRow) != "done":
            job = _ask(workspace, run, record)
            finish(workspace, job, ScoringRow)
        if state_of(workspace, job, ScoringRow) != "done":
            failed += 1
            print(f"\n{workspace.find_scoring(job).error}", file=sys.stderr)
        elif _bits(workspace, run, record) == wanted:
            equal += 1
        else:
            differ += 1
        workspace.delete_series(record.id)
    workspace.close()
    words = f"{number} scorings: {equal} with equal bits, {differ} with others, {failed} that failed, {again} that began again"
    return [Line("scoring", "SIGKILL of a scoring", kills, failed + differ + again, words)]


def _ask(workspace: Workspace, run: str, record: SeriesRecord) -> str:
    job = workspace.create_scoring(run, record.id)
    return job.id


def _bits(workspace: Workspace, run: str, record: SeriesRecord) -> bytes:
    columns = workspace.scores_columns(run, record.id)
    assert columns is not None
    columns.check()
    return columns.values.tobytes()
