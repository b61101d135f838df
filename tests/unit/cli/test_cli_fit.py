"""`amad fit`: what it records, resumes, refuses and says."""

import json
import os
import signal

import pandas as pd
import pytest

from amad.jobs import work as work_module
from amad.workspace import Workspace
from amad.workspace.tables import RunRow


@pytest.fixture
def open_workspace():
    opened = []

    def make(path):
        opened.append(Workspace.open(path))
        return opened[-1]

    yield make
    for workspace in opened:
        workspace.close()


def test_the_last_line_is_the_id_of_a_finished_run_with_scores(trained, open_workspace):
    workspace = open_workspace(trained)
    run = workspace.find_run("night")
    assert (run.state, run.part, run.preset, run.device, run.channels) == (
        "done",
        (0, 280),
        "quick",
        "cpu",
        ("flow", "heat", "noise"),
    )
    assert workspace.scores_columns(run.id, "pump").rows == 400
    assert {"config.json", "model.safetensors", "detection.json", "last", "log.txt"} <= set(
        os.listdir(workspace.run_folder(run.id))
    )


def test_resuming_a_finished_run_prints_its_id(amad, trained, open_workspace):
    run = open_workspace(trained).find_run("night")
    ended = amad("fit", "--resume", "night", workspace=trained)
    assert (ended.code, ended.out, ended.err) == (0, f"{run.id}\n", 'Run "night" is finished already.\n')
    ended = amad("fit", "--resume", run.id, "--json", workspace=trained)
    assert json.loads(ended.out)["state"] == "done"


def test_the_same_call_with_resume_is_accepted_and_another_is_not(amad, trained, data, tiny):
    same = ["fit", data, *tiny, "--train", "0:0.7", "--resume", "night"]
    assert amad(*same, workspace=trained).code == 0
    ended = amad(*same, "--set", "heads=4", "--preset", "balanced", "--seed", "0", workspace=trained)
    assert (ended.code, ended.err) == (
        2,
        'amad: Run "night" keeps the settings it was started with; heads, preset differs. '
        "Leave that out, or start a new run.\n",
    )


def test_a_resumed_run_keeps_its_series(amad, trained, tmp_path):
    pd.DataFrame({"a": range(50), "b": [0.5, 1.5] * 25}).to_csv(tmp_path / "other.csv", index=False)
    ended = amad("fit", "other.csv", "--resume", "night", workspace=trained)
    assert (ended.code, ended.err) == (
        2,
        'amad: Run "night" trains on "pump", not on "other". Leave the series out, or start a new run.\n',
    )
    assert [run["series"] for run in json.loads(amad("runs", "--json", workspace=trained).out)] == ["pump"]


def test_a_file_of_the_same_content_is_one_series(amad, data, tiny, open_workspace, tmp_path):
    first = amad("fit", data, *tiny)
    second = amad("fit", data, *tiny, "--name", "pump quick", "--json")
    assert (first.code, second.code) == (0, 0)
    assert 'The run is named "pump quick 2".' in second.err
    workspace = open_workspace(tmp_path / "own workspace")
    assert len(workspace.series()) == 1
    assert {run.name for run in workspace.runs()} == {"pump quick", "pump quick 2"}
    assert first.last == workspace.find_run("pump quick").id
    assert json.loads(second.last)["name"] == "pump quick 2"
    assert "training:    optimiser step 12 of 12" in first.err


def test_training_on_another_file_scores_both(amad, data, tiny, open_workspace, tmp_path):
    table = pd.read_csv(data)
    table[:250].drop(columns="label").to_csv(tmp_path / "clean.csv", index=False)
    table[250:][["time", "noise", "heat", "flow", "label"]].to_csv(tmp_path / "test.csv", index=False)
    ended = amad("fit", "test.csv", *tiny, "--train-file", "clean.csv", "--label", "label")
    assert ended.code == 0, ended.err
    workspace = open_workspace(tmp_path / "own workspace")
    run = workspace.find_run(ended.last)
    assert workspace.find_series(run.series_id).name == "clean"
    assert run.part == (0, 250)
    assert workspace.scores_columns(run.id, "clean").rows == 250
    assert workspace.scores_columns(run.id, "test").rows == 150


def test_a_file_to_score_that_lacks_channels_is_refused_before_training(amad, data, tiny, tmp_path):
    pd.read_csv(data)[["flow", "noise"]].to_csv(tmp_path / "test.csv", index=False)
    ended = amad("fit", "test.csv", *tiny, "--train-file", data)
    assert (ended.code, ended.err) == (
        2,
        'amad: Series "test" lacks 1 of the 3 channels of "pump": heat. '
        'Name those that both have with --set "channels=A;B".\n',
    )


def test_epochs_are_counted_whole(amad, data, tiny, open_workspace, tmp_path):
    place = tiny.index("max_steps=12")
    ended = amad("fit", data, *tiny[: place - 1], *tiny[place + 1 :], "--epochs", "1")
    assert ended.code == 0, ended.err
    config = open_workspace(tmp_path / "own workspace").find_run(ended.last).config
    assert (config["epochs"], config["max_steps"]) == (1, 0)


def test_a_part_shorter_than_a_window_leaves_no_run(amad, data, tiny, open_workspace, tmp_path):
    ended = amad("fit", data, *tiny, "--train", "0:10")
    assert (ended.code, ended.err) == (
        2,
        'amad: The training part of "pump" has 10 rows, fewer than one window of 16. '
        "Train on more rows, or --set a shorter window.\n",
    )
    assert open_workspace(tmp_path / "own workspace").runs() == []


def test_neither_file_nor_series(amad, trained):
    ended = amad("fit", "missing.csv", workspace=trained)
    assert (ended.code, ended.err) == (
        2,
        f'amad: "missing.csv" is neither a file nor a series of the workspace {trained}. Its series: "pump".\n',
    )


def test_options_of_reading_do_not_fit_a_stored_series(amad, trained):
    ended = amad("fit", "pump", "--time", "time", "--missing", "n/a", workspace=trained)
    assert (ended.code, ended.err) == (
        2,
        'amad: Series "pump" is in the workspace, where it was read already. '
        "Leave out --time, --missing, or give its file.\n",
    )


def test_the_series_of_a_name_comes_before_a_file_without_an_ending(amad, trained, tmp_path):
    (tmp_path / "pump").write_text("")
    ended = amad("score", "night", "pump", "-o", "s.csv", workspace=trained)
    assert (ended.code, ended.err.count("amad:")) == (0, 0)


def test_ctrl_c_saves_and_says_how_to_go_on(amad, data, tiny, open_workspace, tmp_path, monkeypatch):
    real = work_module.Heart.progress

    def interrupt(heart, progress):
        if progress.stage == "training" and progress.step == 10:
            os.kill(os.getpid(), signal.SIGINT)
        real(heart, progress)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(work_module.Heart, "progress", interrupt)
    ended = amad("fit", data, *tiny, "--name", "broken off")
    monkeypatch.setattr(work_module.Heart, "progress", real)
    workspace = open_workspace(tmp_path / "own workspace")
    run = workspace.find_run("broken off")
    assert (ended.code, ended.out, run.state) == (130, "", "stopped")
    assert ended.err.endswith(f'Run "broken off" is stopped. Go on with: amad fit --resume {run.id}\n')
    assert "Stopping after this step; press Ctrl-C again to end at once." in ended.err
    assert signal.getsignal(signal.SIGINT) is before
    refused = amad("score", "broken off", "pump", "-o", "s.csv")
    assert (refused.code, refused.err) == (
        2,
        f'amad: Run "broken off" is stopped, so it cannot score yet. Finish it with: amad fit --resume {run.id}\n',
    )
    ended = amad("fit", "--resume", "broken off")
    assert (ended.code, ended.out) == (0, f"{run.id}\n")


def test_a_run_in_other_hands_is_not_resumed(amad, data, tiny, open_workspace, tmp_path):
    workspace = open_workspace(tmp_path / "own workspace")
    from amad.config import make_config
    from amad.series import read

    record = workspace.add_series(read(data))
    run = workspace.create_run(record.id, name="busy", config=make_config("quick"))
    workspace.states.claim(RunRow, run.id)
    ended = amad("fit", "--resume", "busy")
    assert (ended.code, ended.err) == (
        2,
        f'amad: Run "busy" is running in process {os.getpid()}. Stop it there first, or wait until it is done.\n',
    )


def test_a_failure_in_training_is_told_and_recorded(amad, data, tiny, open_workspace, tmp_path):
    ended = amad("fit", data, *tiny, "--device", "cuda:7", "--name", "far")
    assert ended.code == 2
    run = open_workspace(tmp_path / "own workspace").find_run("far")
    assert (run.state, f"amad: {run.error}\n") == ("failed", "amad:" + ended.err.split("amad:")[-1])


def test_a_fault_in_training_is_exit_1_and_resumable(amad, data, tiny, open_workspace, tmp_path, monkeypatch):
    import amad.detection.calibrating as calibrating

    def broken(*_, **__):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(calibrating, "fit_run", broken)
    ended = amad("fit", data, *tiny, "--name", "unlucky")
    run = open_workspace(tmp_path / "own workspace").find_run("unlucky")
    log = tmp_path / "own workspace" / "runs" / run.id / "log.txt"
    assert ended.code == 1
    assert ended.err.endswith(f"amad: ZeroDivisionError: no luck. The whole trace is in {log}.\n")
    assert run.state == "failed"


def test_a_part_in_which_nothing_changes_is_warned_about(amad, data, tiny, tmp_path):
    table = pd.read_csv(data)
    table.loc[:199, ["flow", "heat", "noise"]] = 1.0
    table.to_csv(tmp_path / "still.csv", index=False)
    warning = (
        "Warning: no channel changes in the training part, so that every later change will score high. "
        "Train on a part that varies, if there is one.\n"
    )
    ended = amad("fit", "still.csv", "--train", "0:200", *tiny)
    assert ended.code == 0
    assert warning in ended.err
    assert warning not in amad("fit", "still.csv", "--train", "0:260", *tiny).err


def test_a_part_without_any_value_is_refused(amad, data, tiny, tmp_path):
    table = pd.read_csv(data)
    table.loc[:199, ["flow", "heat", "noise"]] = None
    table.to_csv(tmp_path / "gone.csv", index=False)
    ended = amad("fit", "gone.csv", "--train", "0:200", *tiny)
    assert ended.code == 2
    assert ended.err.endswith(
        "amad: The training part, rows 0 to 200, holds no value at all. "
        "Choose another part, or check which values count as missing.\n"
    )
