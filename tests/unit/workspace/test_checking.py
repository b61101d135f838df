"""What is wrong in a workspace is found, named, and mended where nothing can be lost by it."""

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from amad.config import make_config
from amad.errors import AccessError
from amad.workspace import audit, checking, files
from amad.workspace.access import Actor, Role
from amad.workspace.checking import check
from amad.workspace.mending import mend
from amad.workspace.tables import RunRow, ScoringRow, WatchRow


@pytest.fixture
def full(workspace, make_series, make_scores, finish):
    """A workspace with a series, a finished run with scores, and a label."""
    record = workspace.add_series(make_series(rows=600))
    run = finish(workspace, workspace.create_run(record.id, name="night", config=make_config("quick")))
    workspace.write_scores(run.id, record.id, make_scores(600, ("flow", "heat")))
    workspace.incidents(record.id, "Ada").add(3, 5, "Spike")
    return workspace


def age(place, seconds=7200):
    """Makes all of a folder look old."""
    for one in [place, *place.rglob("*")] if place.is_dir() else [place]:
        os.utime(one, (time.time() - seconds,) * 2, follow_symlinks=False)


def flip(file, at=-5):
    """Turns one bit of a file over."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def found(workspace, deep=True):
    return [(one.kind, bool(one.mending)) for one in check(workspace, deep=deep)]


def mended(workspace, deep=True):
    """Mends all, and says what was done; afterwards nothing is found any more that can be mended."""
    done = mend(workspace, check(workspace, deep=deep))
    assert [one for one in check(workspace, deep=deep) if one.mending] == []
    return [one.done for one in done]


def trail(workspace):
    return [(one.kind, one.name, one.detail) for one in audit.entries(workspace) if one.action == "mended"]


def test_a_sound_workspace_has_no_problems_and_looking_changes_nothing(full):
    before = {path: path.stat().st_mtime_ns for path in full.path.rglob("*") if "amad.sqlite" not in path.name}
    assert check(full) == check(full, deep=True) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert mend(full, []) == []
    assert not (full.path / "lost+found").exists()


@pytest.mark.parametrize("kind", ["series", "runs", "scores", "scores of run", "partial"])
def test_folders_without_a_row_are_moved_to_lost_and_found(full, kind):
    run, series = full.find_run("night").id, full.find_series("pump").id
    place = {
        "series": full.path / "series" / "abcd1234", "runs": full.path / "runs" / "abcd1234",
        "scores": full.path / "scores" / run / "abcd1234", "scores of run": full.path / "scores" / "abcd1234",
        "partial": full.path / "scores" / run / "abcd1234.part",
    }[kind]  # fmt: skip
    shutil.copytree(full.series_folder(series), place / "inside" if kind == "scores of run" else place)
    assert check(full, deep=True) == [], "it may be about to get its row"
    age(place)
    (problem,) = check(full)
    assert problem.kind == checking.ORPHAN
    assert f"{place} holds" in problem.words
    (done,) = mended(full)
    (stamp,) = (full.path / "lost+found").iterdir()
    kept = stamp / place.relative_to(full.path)
    assert done == f"Moved to {kept}."
    assert list(kept.rglob("columns.f32"))
    assert not place.exists()
    assert trail(full) == [("workspace", place.name, f"{problem.words} {done}")]


def test_an_orphan_that_gets_its_row_meanwhile_stays(full):
    series = full.find_series("pump")
    place = full.path / "series" / "abcd1234"
    shutil.copytree(full.series_folder(series.id), place)
    age(place)
    problems = check(full)
    with full.database.writing() as session:
        session.execute(
            text(
                "INSERT INTO series SELECT 'abcd1234', 'late', rows, channels, has_time, has_labels, created, source, "
                "checksum, part_start, part_stop FROM series"
            )
        )
    (result,) = mend(full, problems)
    assert (result.done, result.why) == ("", "Meanwhile it belongs to something in the database.")
    assert place.is_dir()


def test_a_missing_series_is_named_with_what_to_do(full):
    place = full.series_folder(full.find_series("pump").id)
    shutil.rmtree(place)
    (problem,) = check(full, deep=True)
    assert (problem.kind, problem.mending) == (checking.MISSING, "")
    assert problem.words == f'The values of series "pump" are missing: there is no folder {place}.'
    assert problem.advice == "Put the folder back from a backup, or delete the series."
    assert mended(full) == [""]


def test_a_folder_whose_replacing_was_killed_is_put_back_and_never_swept(full):
    place = full.series_folder(full.find_series("pump").id)
    old = full.path / "tmp" / f"old+series+{place.name}+0123456789abcdef"
    os.rename(place, old)  # where a process stands that is killed between the two renames of put_in_place
    age(old, 100 * 3600)
    files.sweep(full.path)
    (problem,) = check(full, deep=True)
    assert (problem.kind, problem.place) == (checking.DISPLACED, old)
    assert mended(full) == [f"Put back to {place}."]
    assert full.open_series("pump").rows == 600
    assert check(full, deep=True) == []


def test_what_replacing_leaves_when_killed_is_found_by_its_name(full, monkeypatch):
    """The name under which `put_in_place` moves the older folder away is the one that is looked for."""
    place, draft = full.series_folder(full.find_series("pump").id), full.path / "tmp" / "draft"
    shutil.copytree(place, draft)
    rename, seen = os.rename, []

    def killed(source, target):
        if seen:
            raise KeyboardInterrupt
        seen.append(target)
        rename(source, target)

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        files.put_in_place(draft, place, full.path)
    monkeypatch.undo()
    assert files.displaced(full.path) == {place: seen[0]}


def test_a_flipped_bit_is_found_by_the_deep_check_alone(full):
    place = full.series_folder(full.find_series("pump").id)
    flip(place / "columns.f32")
    assert found(full, deep=False) == []
    (problem,) = check(full, deep=True)
    assert problem.kind == checking.DAMAGED
    assert "column 'heat': the values do not match their checksum" in problem.words
    assert mended(full) == [""]


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_pyramid_is_made_again(full, damage):
    place = full.series_folder(full.find_series("pump").id)
    wanted = {path.name: path.read_bytes() for path in place.glob("pyramid_*.bin")}
    assert len(wanted) == 2
    for file in place.glob("pyramid_*.bin"):
        if damage == "flip":
            flip(file, at=3)
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:-4])
        else:
            file.unlink()
    assert found(full, deep=False) == ([] if damage == "flip" else [(checking.PYRAMID, True)])
    assert found(full) == [(checking.PYRAMID, True)]
    assert mended(full) == ["Made again from the values."]
    assert {path.name: path.read_bytes() for path in place.glob("pyramid_*.bin")} == wanted


def test_damaged_scores_are_put_aside_and_can_be_worked_out_again(full):
    run, series = full.find_run("night").id, full.find_series("pump").id
    flip(full.path / "scores" / run / series / "columns.f32")
    assert found(full) == [(checking.SCORES, True)]
    (done,) = mended(full)
    assert done.startswith("Moved to ")
    assert not full.has_scores("night", "pump")


def test_scores_that_are_said_to_be_there_but_are_not(full, make_series):
    other = full.add_series(make_series("tank", rows=100))
    scoring = full.create_scoring("night", other.id)
    full.states.finish(full.states.claim(ScoringRow, scoring.id), "done")
    assert found(full) == [(checking.SCORING, True)]
    assert mended(full) == ["It is no longer said to be scored; score it again."]
    assert full.scorings("night") == []


@pytest.mark.parametrize("name", ["model.safetensors", "detection.safetensors", "config.json"])
def test_damaged_files_of_a_run_are_named(full, name):
    file = full.run_folder(full.find_run("night").id) / name
    file.write_bytes(file.read_bytes()[:-3])
    (problem,) = check(full)
    assert (problem.kind, problem.mending) == (checking.DAMAGED, "")
    assert problem.words.startswith(f'Run "night": {file} is damaged (')
    file.unlink()
    (problem,) = check(full)
    assert problem.words == f'Run "night": {file} is missing.'


def test_another_model_than_the_calibrated_one_is_found_by_the_deep_check(full):
    place = full.run_folder(full.find_run("night").id)
    facts = {"schema": 1, "weights": files.digest_of_file(place / "model.safetensors")}
    (place / "detection.json").write_text(json.dumps(facts))
    assert check(full, deep=True) == []
    flip(place / "model.safetensors")
    assert check(full) == []
    (problem,) = check(full, deep=True)
    assert "its checksum differs" in problem.words


def test_a_damaged_checkpoint_is_put_aside_so_that_the_run_begins_again(full):
    run = full.create_run("pump", name="stopped", config=make_config("quick"))
    last = full.run_folder(run.id) / "last"
    last.mkdir()
    (last / "state.safetensors").write_bytes(b"torn")
    assert found(full) == [(checking.CHECKPOINT, False)], "it waits: somebody may take it now"
    full.update_run(run.id, state="stopped")
    (done,) = mended(full)
    assert done.endswith("Resumed, the run begins again.")
    assert not last.exists()


@pytest.mark.parametrize("table", [RunRow, ScoringRow, WatchRow])
def test_a_job_without_a_heart_is_marked_lost(full, make_series, table):
    key = {"runs": lambda: full.create_run("pump", name="gone", config=make_config("quick")).id}.get(
        table.__tablename__, lambda: ""
    )()
    other = full.add_series(make_series("tank", rows=100))
    if table is ScoringRow:
        key = full.create_scoring("night", other.id).id
    if table is WatchRow:
        with full.database.writing() as session:
            run = full.find_run("night").id
            session.add(
                WatchRow(
                    id="aaaa", run_id=run, series_id=other.id, state="queued", created=datetime.now(UTC), progress={}
                )
            )
        key = "aaaa"
    full.states.claim(table, key)
    assert check(full) == [], "this process holds it"
    with full.database.writing() as session:
        row = session.get(table, key)
        row.pid, row.born = 2**22 + 1, None  # nobody has this number
    assert found(full) == [(checking.JOB, True)]
    with full.database.reading() as session:
        assert session.get(table, key).state == "running", "looking changes nothing"
    assert mended(full) == ["Marked lost; it can be resumed."]
    assert full.states.is_lost(table, key)


def test_half_written_drafts_are_removed_once_they_are_old(full):
    run, series = full.find_run("night").id, full.find_series("pump").id
    drafts = [
        full.path / "tmp" / "0123456789abcdef",
        full.path / "runs" / run / "config.json.part",
        full.path / "series" / f".{series}.0123456789ab.tmp",
        full.path / "series" / series / ".pyramid_16.bin.0123456789ab.tmp",
    ]
    for place in drafts:
        if place.suffix == ".part" or "pyramid" in place.name:
            place.write_bytes(b"half")
        else:
            place.mkdir()
            (place / "columns.f32").write_bytes(b"half")
    assert found(full) == [], "somebody may be writing them"
    for place in drafts:
        age(place)
    os.utime(drafts[0] / "columns.f32")
    assert found(full) == [(checking.DRAFT, True)] * 3, "one of them was written just now"
    age(drafts[0])
    assert mended(full) == ["Removed."] * 4
    assert not any(place.exists() for place in drafts)


def test_a_growing_series_that_lost_its_last_row_count_is_counted_again(full):
    with full.database.writing() as session:
        session.execute(text("UPDATE series SET rows = 500"))
    assert found(full) == [(checking.ROWS, True)]
    assert mended(full) == ["The database says 600 rows now."]
    assert full.find_series("pump").rows == 600
    (label,) = full.incidents("pump", "Ada").all()
    assert label.end_row == 5


def test_fewer_rows_than_the_database_says_are_not_mended(full):
    with full.database.writing() as session:
        session.execute(text("UPDATE series SET rows = 700"))
    assert (checking.ROWS, False) in found(full)


def test_rows_that_point_nowhere_and_broken_pages_are_found(full):
    file = full.database.file()
    full.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "INSERT INTO comments SELECT 'x', 'none', 'text', author, created, changed, changed_by, 1, 0 FROM incidents"
        )
        connection.commit()
    problems = check(full)
    assert [one.words for one in problems] == [
        '1 row of the table "comments" name something in "incidents" that is not there.'
    ]
    assert "restore a backup" in problems[0].advice
    full.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    content = bytearray(file.read_bytes())
    for page in range(2, pages):
        content[4096 * page : 4096 * page + 64] = os.urandom(64)
    file.write_bytes(content)
    found_there = check(full)
    assert {one.kind for one in found_there} == {checking.DATABASE}
    assert f"The database {file} is damaged: " in found_there[0].words
    assert {one.done for one in mend(full, found_there)} == {""}


def test_only_an_admin_mends(full):
    with pytest.raises(AccessError):
        mend(full.acting(Actor("Ann", Role.ANALYST)), [])


def test_links_are_left_alone(full, tmp_path):
    (full.path / "series" / "0123abcd").symlink_to(tmp_path)
    assert check(full) == []
