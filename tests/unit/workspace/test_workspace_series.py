"""Series of the workspace: stored whole, named safely, found, changed and deleted for good."""

import os
import stat
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amad.config import make_config
from amad.errors import InputError, JobError
from amad.workspace import Workspace


def test_a_series_comes_back_as_it_was_stored(workspace, make_series):
    series = make_series(labels=np.arange(60, dtype=np.int8) % 2, label_name="fault")
    record = workspace.add_series(series, source="pump.csv")
    found = workspace.open_series(record.id)
    np.testing.assert_array_equal(found.values, series.values)
    np.testing.assert_array_equal(found.labels, series.labels)
    assert found.channels == ("flow", "heat")
    assert found.time.equals(series.time)
    assert (record.rows, record.has_time, record.has_labels, record.source, record.part) == (
        60,
        True,
        True,
        "pump.csv",
        None,
    )
    assert workspace.series_columns("pump").names == ("flow", "heat")


def test_names_are_numbered_where_taken_and_both_are_found(workspace, make_series):
    first = workspace.add_series(make_series())
    second = workspace.add_series(make_series(rows=61))
    assert (first.name, second.name) == ("pump", "pump 2")
    assert workspace.find_series("pump 2").id == second.id
    assert workspace.find_series(first.id).id == first.id
    assert [record.id for record in workspace.series()] == [second.id, first.id]


def test_a_name_that_is_the_id_of_another_series_is_numbered(workspace, make_series):
    first = workspace.add_series(make_series())
    second = workspace.add_series(make_series(rows=61), name=first.id)
    assert second.name == f"{first.id} 2"
    assert workspace.find_series(first.id).id == first.id


def test_the_same_content_is_reused_only_when_asked(workspace, make_series):
    first = workspace.add_series(make_series())
    assert workspace.add_series(make_series(name="other"), reuse=True).id == first.id
    assert workspace.add_series(make_series(), reuse=False).id != first.id
    changed = make_series()
    changed.values[5, 1] += 1e-3
    assert workspace.add_series(changed, reuse=True).id != first.id


@pytest.mark.parametrize("field", ["time", "labels", "channels", "zone"])
def test_content_counts_time_labels_and_channels(workspace, make_series, field):
    first = workspace.add_series(make_series())
    other = {
        "time": {"time": pd.date_range("2024-03-02", periods=60, freq="min", tz="UTC")},
        "labels": {"labels": np.zeros(60, dtype=np.int8)},
        "channels": {"channels": ("flow", "cold")},
        "zone": {"time": pd.date_range("2024-03-01", periods=60, freq="min")},
    }[field]
    assert workspace.add_series(make_series(**other), reuse=True).id != first.id


def test_the_unit_in_which_times_are_kept_is_no_content(workspace, make_series):
    first = workspace.add_series(make_series(time=pd.date_range("2024-03-01", periods=60, freq="min", unit="s")))
    again = make_series(time=pd.date_range("2024-03-01", periods=60, freq="min", unit="ns"))
    assert workspace.add_series(again, reuse=True).id == first.id


def test_times_beyond_nanoseconds_can_be_stored(workspace, make_series):
    time = pd.DatetimeIndex(np.arange(60).astype("M8[s]") + np.timedelta64(400 * 365 * 86400, "s"))
    record = workspace.add_series(make_series(time=time))
    assert workspace.open_series(record.id).time.equals(time)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.text(max_size=300), st.sampled_from(["../../etc/passwd", "a\x00b", "\u202eevil", "<b>x</b>"])))
def test_any_name_can_be_shown_and_never_becomes_a_path(workspace, make_series, name):
    before = {entry.name for entry in workspace.path.iterdir()}
    record = workspace.add_series(make_series(rows=5), name=name)
    assert 0 < len(record.name) <= 120
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in record.name)
    assert workspace.find_series(record.name).id == record.id
    assert workspace.series_folder(record.id).parent == workspace.path / "series"
    assert {entry.name for entry in workspace.path.iterdir()} == before
    workspace.delete_series(record.id)


def test_a_missing_series_is_answered_with_those_that_are_there(workspace, make_series):
    with pytest.raises(InputError) as empty:
        workspace.find_series("x")
    assert str(empty.value) == 'There is no series "x" in this workspace. There are none yet.'
    workspace.add_series(make_series())
    for odd in ("\ud800", "\x00", "a" * 10_000):
        with pytest.raises(InputError, match="There is no series"):
            workspace.find_series(odd)
        assert not workspace.has_series(odd)
    with pytest.raises(InputError) as other:
        workspace.find_series("x\x1b[31m")
    assert str(other.value) == 'There is no series "x [31m" in this workspace. There are "pump".'


def test_ids_that_are_paths_are_refused(workspace):
    for key in ("../..", "a/b", "", "ABCDEF12", "a" * 17):
        with pytest.raises(InputError, match="is not the id of a series or a run"):
            workspace.series_folder(key)


def test_renaming_and_training_part(workspace, make_series):
    record = workspace.add_series(make_series())
    workspace.add_series(make_series(rows=61), name="valve")
    assert workspace.rename_series("pump", "valve").name == "valve 2"
    assert workspace.rename_series(record.id, "valve 2").name == "valve 2"
    assert workspace.set_part(record.id, (5, 40)).part == (5, 40)
    assert workspace.set_part(record.id, None).part is None
    with pytest.raises(InputError) as error:
        workspace.set_part(record.id, (5, 61))
    assert str(error.value) == 'Rows 5 to 61 are not a part of series "valve 2", which has 60 rows.'


def test_deleting_removes_row_folder_and_scores_but_keeps_runs(workspace, make_series, make_scores):
    record = workspace.add_series(make_series())
    run = workspace.create_run(record.id, config=make_config("quick"))
    workspace.update_run(run.id, state="stopped")
    workspace.write_scores(run.id, record.id, make_scores(60, record.channels))
    workspace.delete_series("pump")
    assert workspace.series() == []
    assert list((workspace.path / "series").iterdir()) == []
    assert list((workspace.path / "scores" / run.id).iterdir()) == []
    assert list((workspace.path / "tmp").iterdir()) == []
    assert workspace.find_run(run.id).series_id is None


def test_a_series_in_use_is_not_deleted(workspace, make_series):
    record = workspace.add_series(make_series())
    workspace.create_run(record.id, name="night", config=make_config("quick"))
    with pytest.raises(JobError) as error:
        workspace.delete_series(record.id)
    assert str(error.value) == 'Series "pump" is in use by run "night". Stop that run first.'
    assert workspace.open_series(record.id).rows == 60


def test_a_series_whose_folder_is_gone_is_named(workspace, make_series):
    record = workspace.add_series(make_series())
    folder = workspace.series_folder(record.id)
    os.rename(folder, folder.with_name("elsewhere"))
    with pytest.raises(InputError) as error:
        workspace.open_series(record.id)
    assert str(error.value) == (
        f'The values of series "pump" are not in {folder}. Put the folder back, or delete the series.'
    )


def test_the_secret_is_private_and_stays(workspace):
    file = workspace.path / "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(workspace.secret) == 32
    file.chmod(0o644)
    again = Workspace.open(workspace.path)
    assert again.secret == workspace.secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again.close()


def test_the_environment_names_the_workspace(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "from environment"))
    opened = Workspace.open()
    assert opened.path == tmp_path / "from environment"
    opened.close()


def test_what_a_killed_process_left_is_swept_after_a_day(workspace):
    old, new = workspace.path / "tmp" / "old", workspace.path / "tmp" / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "columns.f32").write_bytes(b"x")
    os.utime(old, (0, 0))
    Workspace.open(workspace.path).close()
    assert [entry.name for entry in (workspace.path / "tmp").iterdir()] == ["new"]
