"""The disk of a workspace: counted right whatever changes, held before anything is stored, and nothing half-made stays."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from amad.config import make_config
from amad.errors import InputError
from amad.series import Series
from amad.workspace import room
from amad.workspace.incoming import Incoming, Refused

QUICK = make_config("quick")
MB = 1_000_000


def truth(workspace) -> int:
    """What a walk through every file finds."""
    files = (Path(folder) / name for folder, _, names in os.walk(workspace.path) for name in names)
    return sum(file.stat().st_size for file in files if file.relative_to(workspace.path).parts[0] != "tmp")


@pytest.fixture
def old(monkeypatch):
    """As if every folder had come to rest before it was looked at, so that what was found of it is kept."""
    monkeypatch.setattr(room, "_YOUNG_NS", -1)


def test_what_is_taken_is_known_after_every_change(workspace, make_series, make_scores, finish, old, monkeypatch):
    walks = []
    real = room._walked
    monkeypatch.setattr(room, "_walked", lambda folder: (walks.append(folder.name), real(folder))[1])
    pump = workspace.add_series(make_series())
    far = workspace.add_series(make_series("far", rows=5000))
    run = workspace.create_run(pump.id, config=QUICK)
    finish(workspace, run)
    workspace.write_scores(run.id, pump.id, make_scores(60, ("flow", "heat")))
    assert room.taken(workspace.path) == truth(workspace)
    assert {pump.id, far.id, run.id} <= set(walks)
    walks.clear()
    assert room.taken(workspace.path) == truth(workspace)
    assert set(walks) <= {"incoming", "watches"}  # nothing else is walked through again
    workspace.write_scores(run.id, far.id, make_scores(5000, ("flow", "heat")))
    partial = workspace.partial_scores(run.id, pump.id, "mark")
    for _ in range(3):
        partial.add(("score",), np.zeros((10, 1), np.float32))
        assert room.taken(workspace.path) == truth(workspace)
    partial.remove()
    known = Incoming(workspace.path).begin("me", "pump.csv", 5000)
    Incoming(workspace.path).write("me", known.id, 0, bytes(3000))
    assert room.taken(workspace.path) == truth(workspace)
    walks.clear()
    workspace.delete_series(far.id)
    assert room.taken(workspace.path) == truth(workspace)
    assert far.id not in walks
    assert pump.id not in walks


def full(workspace, monkeypatch, left_mb: int) -> None:
    """Leaves so many megabytes of the part of the disk that the workspace may take."""
    monkeypatch.setenv("AMAD_DISK_MB", str(-(-room.taken(workspace.path) // MB) + left_mb))


def test_a_series_that_does_not_fit_is_refused_with_what_to_do(workspace, make_series, monkeypatch, tmp_path):
    large = Series("large", np.zeros((300_000, 4), np.float32), ("a", "b", "c", "d"))
    monkeypatch.setenv("AMAD_DISK_MB", "5")
    with pytest.raises(InputError) as refused:
        workspace.add_series(large)
    message = str(refused.value)
    assert re.match(r"The workspace has \d+ kB of the 5 MB", message)
    assert 'that it may have, and "large" takes 6.4 MB more. Delete series or runs' in message
    assert message.endswith("Whoever runs AMAD can set more with AMAD_DISK_MB.")
    assert list((workspace.path / "series").iterdir()) == list((workspace.path / "tmp").iterdir()) == []
    assert workspace.series() == []
    monkeypatch.setenv("AMAD_DISK_MB", "8")
    stored = workspace.add_series(large)
    assert 6.3 * MB < room.folder_bytes(workspace.series_folder(stored.id)) < 6.5 * MB  # what was foretold
    path = tmp_path / "more.csv"
    path.write_text("a,b\n" + "1.5,2\n2.5,3\n" * 50)
    monkeypatch.setenv("AMAD_DISK_MB", "6")
    with pytest.raises(InputError, match=r'and "more.csv" takes more'):  # before it is read
        workspace.add_file(path)
    assert workspace.add_series(large, reuse=True) == stored  # it is here, and takes nothing


def test_runs_and_scores_and_uploads_are_refused_where_there_is_no_room(
    workspace, make_series, make_scores, finish, monkeypatch
):
    record = workspace.add_series(make_series(rows=200_000))
    run = workspace.create_run(record.id, config=QUICK)
    finish(workspace, run)
    full(workspace, monkeypatch, 1)
    before = truth(workspace)
    for ask, what in (
        (lambda: workspace.create_run(record.id, config=QUICK), "a new run with its scores takes 3.2 MB more"),
        (lambda: workspace.create_scoring(run.id, record.id), 'the scores of "pump" takes 3.2 MB more'),
        (
            lambda: workspace.write_scores(run.id, record.id, make_scores(200_000, ("flow", "heat"))),
            r'the scores of "pump" takes 8\.5\d? MB more',
        ),
    ):
        with pytest.raises(InputError, match=what):
            ask()
    with pytest.raises(Refused, match=r'"pump.csv" takes 3 MB more') as refused:
        Incoming(workspace.path).begin("me", "pump.csv", 3 * MB)
    assert refused.value.reason == "room"
    assert truth(workspace) == before
    assert len(workspace.runs()) == 1
    assert workspace.scorings() == []


def test_uploads_on_their_way_count_with_the_size_that_was_told(workspace, monkeypatch):
    full(workspace, monkeypatch, 10)
    incoming = Incoming(workspace.path)
    first = incoming.begin("me", "one.csv", 6 * MB)
    with pytest.raises(Refused, match="may have"):
        incoming.begin("you", "two.csv", 6 * MB)
    incoming.remove("me", first.id)
    assert incoming.begin("you", "two.csv", 6 * MB).received == 0


def test_scores_in_the_place_of_others_need_no_further_room(workspace, make_series, make_scores, finish, monkeypatch):
    record = workspace.add_series(make_series(rows=200_000))
    run = workspace.create_run(record.id, config=QUICK)
    finish(workspace, run)
    scores = make_scores(200_000, ("flow", "heat"))
    workspace.write_scores(run.id, record.id, scores)
    full(workspace, monkeypatch, 1)
    workspace.write_scores(run.id, record.id, scores)
    assert workspace.has_scores(run.id, record.id)
