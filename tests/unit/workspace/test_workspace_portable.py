"""A run as a file: what is exported comes back whole, with its scores, and binds to its series."""

import json
import zipfile

import numpy as np
import pytest

from amad.config import make_config
from amad.errors import CheckpointError, InputError, JobError
from amad.workspace import Workspace, archive, demos


@pytest.fixture
def run(workspace, make_series, make_scores, finish):
    record = workspace.add_series(make_series())
    made = finish(workspace, workspace.create_run(record.id, name="night", preset="quick", config=make_config("quick")))
    workspace.write_scores(made.id, record.id, make_scores(60, made.channels))
    return made


def test_a_run_comes_back_in_another_workspace_with_its_series(workspace, run, make_series, tmp_path):
    file = workspace.export_run("night", tmp_path / "run.zip", scores=True)
    other = Workspace.open(tmp_path / "other")
    record = other.add_series(make_series(name="the same"))
    found = other.import_run(file)
    assert (found.name, found.state, found.preset, found.series_id, found.channels, found.part, found.source) == (
        "night",
        "done",
        "quick",
        record.id,
        ("flow", "heat"),
        (0, 60),
        "run.zip",
    )
    for name in ("config.json", "model.safetensors", "detection.safetensors", "history.jsonl", "frequencies.npz"):
        assert (other.run_folder(found.id) / name).read_bytes() == (workspace.run_folder(run.id) / name).read_bytes()
    assert sorted(entry.name for entry in other.run_folder(found.id).iterdir()) == sorted(
        name for name in archive.LIMITS if "/" not in name and name != "run.json"
    )
    old, new = workspace.scores_columns(run.id, "pump"), other.scores_columns(found.id, record.id)
    assert new.names == old.names
    np.testing.assert_array_equal(new.values, old.values)
    assert list((other.path / "tmp").iterdir()) == []
    other.close()


def test_without_its_series_a_run_stands_alone(workspace, run, tmp_path):
    other = Workspace.open(tmp_path / "other")
    found = other.import_run(workspace.export_run(run.id, tmp_path / "run.zip", scores=True))
    assert found.series_id is None
    assert list((other.path / "scores").iterdir()) == []
    other.close()


def test_scores_go_along_only_when_asked_and_the_log_never(workspace, run, tmp_path):
    file = workspace.export_run(run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(file) as packed:
        assert sorted(packed.namelist()) == sorted(name for name in archive.LIMITS if not name.startswith("scores/"))
    again = workspace.import_run(file)
    assert again.name == "night 2"
    assert not workspace.has_scores(again.id, "pump")


def test_the_same_run_is_the_same_file(workspace, run, tmp_path):
    files = [workspace.export_run(run.id, tmp_path / f"{i}.zip", scores=True).read_bytes() for i in range(2)]
    assert files[0] == files[1]


def test_files_that_shrink_far_are_stored_so_that_they_can_be_imported(workspace, make_series, finish, tmp_path):
    record = workspace.add_series(make_series(rows=400_000))
    run = finish(workspace, workspace.create_run(record.id, config=make_config("quick")))
    workspace.write_score_columns(run.id, record.id, ("score", "cad"), np.zeros((400_000, 2), dtype=np.float32))
    found = workspace.import_run(workspace.export_run(run.id, tmp_path / "run.zip", scores=True))
    assert workspace.scores_columns(found.id, record.id).rows == 400_000


def test_only_a_finished_and_whole_run_is_exported(workspace, run, make_series, tmp_path):
    waiting = workspace.create_run("pump", name="waiting", config=make_config("quick"))
    with pytest.raises(JobError) as error:
        workspace.export_run(waiting.id, tmp_path / "run.zip")
    assert str(error.value) == 'Run "waiting" is queued. Only a finished run can be exported.'
    (workspace.run_folder(run.id) / "scaler.json").unlink()
    with pytest.raises(CheckpointError) as incomplete:
        workspace.export_run(run.id, tmp_path / "run.zip")
    assert str(incomplete.value) == (
        f'Run "night" is incomplete: {workspace.run_folder(run.id)} lacks scaler.json. Train it again.'
    )
    assert list(tmp_path.glob("*.zip")) == []


def test_a_missing_folder_and_a_missing_file_are_named(workspace, run, tmp_path):
    with pytest.raises(InputError) as error:
        workspace.export_run(run.id, tmp_path / "none" / "run.zip")
    assert str(error.value) == (f"There is no folder {tmp_path}/none. Make it first, or write the run somewhere else.")
    with pytest.raises(InputError) as absent:
        workspace.import_run(tmp_path / "none.zip")
    assert str(absent.value) == (
        f"There is no file {tmp_path}/none.zip. Give the path of a run that `amad export` wrote."
    )


@pytest.fixture
def demo(workspace, run, make_series, tmp_path, monkeypatch):
    """A folder of demos as the repository bundles them."""
    import pandas as pd

    folder = tmp_path / "assets" / "valve"
    folder.mkdir(parents=True)
    series = make_series()
    table = pd.DataFrame(series.values, columns=list(series.channels))
    table.insert(0, "time", series.time)
    table.to_parquet(folder / "series.parquet")
    meta = {"name": "valve", "title": "A valve", "licence": "CC BY 4.0", "source": "a lab", "part": "0:0.5"}
    (folder / "meta.json").write_text(json.dumps(meta))
    workspace.export_run(run.id, folder / "run.zip", scores=True)
    monkeypatch.setattr(demos, "FOLDER", folder.parent)
    return folder


def test_a_demo_is_added_once_with_its_run_and_scores(demo, tmp_path):
    fresh = Workspace.open(tmp_path / "fresh")
    assert [(entry["name"], entry["title"], entry["here"]) for entry in fresh.demos()] == [("valve", "A valve", None)]
    record = fresh.add_demo("valve")
    assert (record.name, record.part, record.source) == ("A valve", (0, 30), "demo:valve")
    (run,) = fresh.runs(record.id)
    assert (run.name, run.state, run.series_id) == ("night", "done", record.id)
    assert fresh.has_scores(run.id, record.id)
    assert fresh.add_demo("valve").id == record.id
    assert len(fresh.series()) == len(fresh.runs()) == 1
    assert fresh.demos()[0]["here"] == record.id
    fresh.close()


def test_an_unknown_demo_is_answered_with_those_there_are(demo, workspace, monkeypatch, tmp_path):
    with pytest.raises(InputError) as error:
        workspace.add_demo("../valve")
    assert str(error.value) == 'There is no demo "../valve". There are valve.'
    monkeypatch.setattr(demos, "FOLDER", tmp_path / "none")
    assert workspace.demos() == []
