"""A scoring that is killed or stopped goes on where it was: equal scores, and no block that was done is done again."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from amad import jobs
from amad.cli import main
from amad.detection import Detector, detector, scoring
from amad.errors import JobError
from amad.evaluation.baselines.run import BaselineRun
from amad.jobs import worker
from amad.jobs.scoring import scored
from amad.jobs.work import work
from amad.series import Series
from amad.workspace.tables import RunRow, ScoringRow

BLOCK = 64  # rows; a series of 400 takes seven of them
# A worker that is killed by the system (kill -9) while it scores: after so many rows, or in the middle of the next block.
KILLED = """
import os, signal, sys
from amad.detection import detector, scoring
from amad.jobs.work import work
from amad.workspace import Workspace
from amad.workspace.tables import RunRow, ScoringRow

scoring.FEWEST_BLOCK_ROWS, scoring.BLOCK_CELLS = 64, 1
place, table, job, rows, inside = sys.argv[1], {"run": RunRow, "scoring": ScoringRow}[sys.argv[2]], *sys.argv[3:]
raw = scoring.Scorer.raw

def die(progress):
    if progress.stage == "scoring" and progress.step >= int(rows):
        if inside == "no":
            os.kill(os.getpid(), signal.SIGKILL)
        scoring.Scorer.raw = lambda *given: (raw(*given), os.kill(os.getpid(), signal.SIGKILL))

workspace = Workspace.open(place)
work(workspace, workspace.states.claim(table, job), on_progress=die)
"""


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Workers run inside this process: they keep no signals, start no other, and work in the same small blocks."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(scoring, "FEWEST_BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(scoring, "BLOCK_CELLS", 1)


@pytest.fixture
def done(monkeypatch):
    """First rows of the blocks that this process works out."""
    seen = []
    block = detector.Detector._block

    def noted(self, values, start, stop, own):
        seen.append(start)
        return block(self, values, start, stop, own)

    monkeypatch.setattr(detector.Detector, "_block", noted)
    return seen


def killed(workspace, table, job, rows, inside="no"):
    """Works on a job in a process of its own until it is killed."""
    command = [sys.executable, "-c", KILLED, workspace.path, table, job, str(rows), inside]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    return jobs.refresh(workspace)


@pytest.fixture
def trained(workspace, run, no_process):
    assert worker.main(["--workspace", str(workspace.path), "--run", run.id]) == 0
    return workspace.find_run(run.id)


@pytest.fixture
def other(workspace):
    values = np.random.default_rng(8).normal(size=(400, 3)).astype(np.float32)
    values[200:210, 1] = np.nan
    return workspace.add_series(Series("other", values, ("c", "a", "b")))


def expected(workspace, run, series):
    """Names and values of an unbroken scoring, in memory."""
    found = Detector.load(workspace.run_folder(run.id), "cpu")
    return found.score(workspace.series_for_run(run.id, series.id).values).columns()


def assert_stored(workspace, run, series, names, values):
    columns = workspace.scores_columns(run.id, series.id)
    assert columns.names == names
    np.testing.assert_array_equal(columns.values.T, values)
    columns.check()
    assert not list((workspace.path / "scores").glob("*/*.part"))


@pytest.mark.parametrize(("inside", "rows"), [("no", 3 * BLOCK), ("yes", 3 * BLOCK), ("no", 400)])
def test_a_killed_scoring_goes_on_where_it_was(workspace, trained, other, done, inside, rows):
    names, values = expected(workspace, trained, other)
    done.clear()
    job = jobs.submit_score(workspace, trained.id, other.id)
    assert killed(workspace, "scoring", job.id, rows, inside) == [job.id]
    assert workspace.find_scoring(job.id).state == "lost"
    assert workspace.partial_rows(trained.id, other.id) == rows
    assert not workspace.has_scores(trained.id, other.id)

    again = jobs.submit_score(workspace, trained.id, other.id)
    assert worker.main(["--workspace", str(workspace.path), "--scoring", again.id]) == 0
    assert workspace.find_scoring(again.id).state == "done"
    assert done == list(range(rows, 400, BLOCK))
    assert_stored(workspace, trained, other, names, values)


def test_a_run_killed_in_its_last_stage_is_neither_trained_nor_calibrated_again(workspace, run, no_process, done):
    assert killed(workspace, "run", run.id, 2 * BLOCK) == [run.id]
    before = {path.name: path.read_bytes() for path in workspace.run_folder(run.id).glob("*.safetensors")}
    assert jobs.resume(workspace, run.id).state == "queued"
    seen = []
    work(workspace, workspace.states.claim(RunRow, run.id), on_progress=lambda progress: seen.append(progress.stage))
    found = workspace.find_run(run.id)
    assert found.state == "done"
    assert done == list(range(2 * BLOCK, 400, BLOCK))
    assert set(seen) <= {"preparing", "training", "scoring"}
    assert before == {path.name: path.read_bytes() for path in workspace.run_folder(run.id).glob("*.safetensors")}
    assert_stored(
        workspace,
        found,
        workspace.find_series(found.series_id),
        *expected(workspace, found, workspace.find_series(found.series_id)),
    )


def test_a_series_that_is_scored_is_not_scored_again_when_the_run_goes_on(workspace, trained, done):
    with workspace.database.writing() as session:  # killed after its scores were stored, before it could say so
        session.get(RunRow, trained.id).state = "lost"
    jobs.resume(workspace, trained.id)
    work(workspace, workspace.states.claim(RunRow, trained.id))
    assert workspace.find_run(trained.id).state == "done"
    assert done == []


def test_a_stopped_scoring_goes_on_too(workspace, trained, other, done):
    import threading

    job, asked = jobs.submit_score(workspace, trained.id, other.id), threading.Event()

    def stop(progress):
        if progress.step >= 2 * BLOCK:
            asked.set()

    work(workspace, workspace.states.claim(ScoringRow, job.id), on_progress=stop, asked=asked)
    assert workspace.find_scoring(job.id).state == "stopped"
    done.clear()
    again = jobs.submit_score(workspace, trained.id, other.id)
    work(workspace, workspace.states.claim(ScoringRow, again.id))
    assert done == list(range(2 * BLOCK, 400, BLOCK))
    assert_stored(workspace, trained, other, *expected(workspace, trained, other))


def test_a_damaged_block_and_those_behind_it_are_worked_out_again(workspace, trained, other, done):
    job = jobs.submit_score(workspace, trained.id, other.id)
    killed(workspace, "scoring", job.id, 4 * BLOCK)
    second = sorted((workspace.path / "scores" / trained.id / f"{other.id}.part").glob("*.block"))[1]
    content = bytearray(second.read_bytes())
    content[-5] ^= 1
    second.write_bytes(content)
    again = jobs.submit_score(workspace, trained.id, other.id)
    work(workspace, workspace.states.claim(ScoringRow, again.id))
    assert done == list(range(BLOCK, 400, BLOCK))
    assert_stored(workspace, trained, other, *expected(workspace, trained, other))


def test_blocks_of_another_model_are_not_taken(workspace, trained, other, done):
    job = jobs.submit_score(workspace, trained.id, other.id)
    killed(workspace, "scoring", job.id, 4 * BLOCK)
    facts = workspace.run_folder(trained.id) / "detection.json"
    facts.write_text(facts.read_text() + "\n")
    again = jobs.submit_score(workspace, trained.id, other.id)
    work(workspace, workspace.states.claim(ScoringRow, again.id))
    assert done == list(range(0, 400, BLOCK))


def scoring_of(workspace, run, series, device="cpu"):
    """A scoring that goes on block by block, as that of a process of its own would; `device` is only part of its mark."""
    loaded = Detector.load(workspace.run_folder(run.id), "cpu")
    found = SimpleNamespace(channels=loaded.channels, blocks=loaded.blocks, device=device)
    return scored(workspace, run.id, series, found, workspace.open_series(series.id), None)


def test_two_processes_at_one_scoring_do_not_harm_each_other(workspace, trained, other):
    names, values = expected(workspace, trained, other)
    one, two = scoring_of(workspace, trained, other), scoring_of(workspace, trained, other)
    first = [next(one), next(one), next(two)]
    assert len(first) == 3
    list(one)
    assert_stored(workspace, trained, other, names, values)
    assert sum(len(block.score) for block in two) == 400 - BLOCK
    assert_stored(workspace, trained, other, names, values)


def test_a_scoring_whose_place_another_one_took_says_so(workspace, trained, other):
    one, two = scoring_of(workspace, trained, other), scoring_of(workspace, trained, other, "cuda")
    next(one), next(one), next(two)
    with pytest.raises(JobError, match='Another process scores "other" with the same run'):
        list(one)
    list(two)
    assert_stored(workspace, trained, other, *expected(workspace, trained, other))


def test_what_is_left_of_a_scoring_goes_with_its_series(workspace, trained, other):
    job = jobs.submit_score(workspace, trained.id, other.id)
    killed(workspace, "scoring", job.id, BLOCK)
    workspace.delete_series(other.id)
    assert not list((workspace.path / "scores").glob("*/*.part"))


def test_amad_score_goes_on_where_it_was_killed(workspace, trained, other, done, tmp_path, monkeypatch):
    job = jobs.submit_score(workspace, trained.id, other.id)
    killed(workspace, "scoring", job.id, 3 * BLOCK)
    import pandas as pd

    names, values = expected(workspace, trained, other)
    done.clear()
    target = tmp_path / "scores.parquet"
    assert main(["--workspace", str(workspace.path), "score", trained.id, other.id, "-o", str(target)]) == 0
    assert done == list(range(3 * BLOCK, 400, BLOCK))
    np.testing.assert_array_equal(pd.read_parquet(target)["score"], values[:, names.index("score")])
    assert_stored(workspace, trained, other, names, values)


def test_a_baseline_leaves_out_the_blocks_before(monkeypatch):
    from amad.evaluation.baselines import run as baselines

    monkeypatch.setattr(baselines, "FEWEST_BLOCK_ROWS", 64)
    monkeypatch.setattr(baselines, "BLOCK_CELLS", 1)
    monkeypatch.setattr(baselines, "GRID", 64)
    found = BaselineRun.__new__(BaselineRun)
    found.channels, found.part = ("a",), (0, 10)
    found.baseline = type("Plain", (), {"cross_fitted": False})()
    monkeypatch.setattr(BaselineRun, "_block", lambda self, values, start, stop, own: (start, stop))
    assert list(found.blocks(np.zeros((200, 1)), None, 128)) == [(128, 192), (192, 200)]


def test_channels_among_others_are_scored_without_a_copy_of_the_series(workspace, trained, other, monkeypatch):
    wide = workspace.open_series(other.id)
    values = np.concatenate([wide.values, np.ones((400, 1), dtype=np.float32)], axis=1)
    record = workspace.add_series(Series("wide", values, ("c", "a", "b", "more")))
    names, expected_values = expected(workspace, trained, other)
    monkeypatch.setattr(Series, "take", lambda *_: pytest.fail("the whole series was copied"))
    job = jobs.submit_score(workspace, trained.id, record.id)
    assert worker.main(["--workspace", str(workspace.path), "--scoring", job.id]) == 0
    assert workspace.find_scoring(job.id).error is None
    assert_stored(workspace, trained, record, names, expected_values)
