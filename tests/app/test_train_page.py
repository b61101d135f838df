"""The page Train: settings with help, cost before starting, a real small job, what a run that ended says, the runs table."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from app_made import CHANNELS, HOME, finished_run, small_series
from streamlit.testing.v1 import AppTest

from amad import jobs
from amad.config import fields, make_config
from amad.workspace import Workspace
from app.parts import progress

Open = Callable[..., AppTest]


def texts(elements: object) -> str:
    return "\n".join(str(element.value) for element in elements)  # type: ignore[attr-defined]


def labelled(page: AppTest, kind: str, label: str) -> Any:
    return next(element for element in page.get(kind) if element.label == label)


def test_every_setting_has_a_field_with_its_meaning_as_help(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page("train")
    assert not page.exception
    shown = {}
    for kind in ("number_input", "selectbox", "text_input", "checkbox", "multiselect"):
        for element in page.main.get(kind):
            shown[element.label.split(" (")[0]] = element.help or ""
    for name, field in fields().items():
        if name in ("threshold", "detector"):  # chosen on the pages Incidents and Compare
            continue
        assert field["title"] in shown, name
        if name != "device":
            assert "Preset:" in shown[field["title"]]


def test_time_and_memory_are_told_before_starting(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    store.set_part(series.id, (0, 300))
    page = open_page("train")
    told = texts(page.markdown)
    assert "**About " in told
    assert "of memory" in told
    assert "300 rows" in texts(page.caption)


def test_settings_that_do_not_fit_are_told_at_once_and_nothing_can_start(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page("train")
    labelled(page, "number_input", "Model width").set_value(30).run()
    assert not page.exception
    assert "must be an even multiple of heads" in page.error[0].value
    assert labelled(page, "button", "Start training").disabled


def test_strides_that_follow_a_shorter_window_are_told(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page("train")
    labelled(page, "number_input", "Window (steps)").set_value(64).run()
    assert "Changed: Window 64. With the window: Score stride 64." in texts(page.caption)
    labelled(page, "number_input", "Score stride (steps)").set_value(32).run()
    assert "Changed: Window 64, Score stride 32." in texts(page.caption)


def test_a_training_part_shorter_than_a_window_is_told(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    store.set_part(series.id, (0, 50))
    page = open_page("train")
    assert "The training part has 50 rows, the window needs 100." in page.error[0].value.replace("\\", "")


def test_a_run_started_here_trains_scores_and_shows_its_curves(
    open_page: Open, store: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(workspace: Workspace, _table: object, job_id: str) -> None:
        command = [sys.executable, "-m", "amad.jobs.worker", "--workspace", str(workspace.path), "--run", job_id]
        subprocess.run(command, check=True, timeout=200, cwd=HOME.parent.parent)

    monkeypatch.setattr("amad.jobs.local._start", at_once)
    series = store.add_series(small_series())
    store.set_part(series.id, (0, 290))
    page = open_page("train")
    labelled(page, "button_group", "Preset").set_value("quick").run()
    labelled(page, "number_input", "Most optimiser steps").set_value(3)
    labelled(page, "number_input", "Model width").set_value(8).run()
    assert "Changed: Model width 8, Most optimiser steps 3." in texts(page.caption)
    labelled(page, "text_input", "Name").set_value("tiny").run()
    labelled(page, "button", "Start training").click().run()
    assert not page.exception
    run = store.find_run("tiny")
    assert run.error is None
    assert (run.state, run.preset, run.part) == ("done", "quick", (0, 290))
    assert (run.config["d_model"], run.config["max_steps"]) == (8, 3)
    assert page.query_params["run"] == run.id
    assert store.has_scores(run.id, series.id)
    assert {"Loss parts", "Max-Min divergences", "Learned periods", "Runs"} <= {head.value for head in page.subheader}
    assert list(page.dataframe[0].value["State"]) == ["done"]
    assert "Show incidents" in [button.label for button in page.button]

    # the run goes out as one file, and comes back on the same page
    exported = store.export_run(run.id, tmp_path / "tiny.zip").read_bytes()
    store.delete_run(run.id)
    page = open_page("train")
    page.get("file_uploader")[0].set_value(("tiny.zip", exported, "application/zip")).run()
    assert not page.exception
    assert not page.error
    assert [back.state for back in store.runs()] == ["done"]
    assert page.query_params["run"] == store.runs()[0].id


def test_a_failed_run_says_why_and_what_to_change(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = store.create_run(series.id, name="big", preset="paper", config=make_config("paper"), part=(0, 500))
    store.update_run(run.id, state="failed", error="The device ran out of memory.")
    page = open_page("train", series=series.id, run=run.id)
    assert not page.exception
    box = page.error[0].value
    assert "big failed" in box
    assert "Choose a smaller batch, a narrower model, or a device with more memory." in box
    assert "Resume run" in [button.label for button in page.button]


def test_a_waiting_run_can_be_stopped_and_resumed(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amad.jobs.local._start", lambda *_: None)
    series = store.add_series(small_series())
    run = store.create_run(series.id, name="waiting", preset="quick", config=make_config("quick"), part=(0, 250))
    page = open_page("train", series=series.id, run=run.id)
    assert not page.exception
    assert "Waiting for its turn" in [bar.text for bar in page.get("progress")] or page.get("progress")
    labelled(page, "button", "Stop").click().run()
    assert store.find_run(run.id).state == "stopped"
    labelled(page, "button", "Resume run").click().run()
    assert store.find_run(run.id).state == "queued"
    jobs.stop(store, run.id)


def test_rename_tag_and_delete_a_run(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    page = open_page("train")
    labelled(page, "text_input", "Name of the run").set_value("better").run()
    labelled(page, "button", "Rename run").click().run()
    assert store.find_run(run.id).name == "better"
    labelled(page, "text_input", "Tags, with commas between").set_value("pump, keep").run()
    labelled(page, "button", "Set tags").click().run()
    assert store.find_run(run.id).tags == ("pump", "keep")
    labelled(page, "button", "Delete run").click().run()
    assert not page.exception
    assert store.runs() == []
    assert [away.name for away in store.trash()] == ["better"]


def test_a_deleted_run_comes_back_by_one_click_and_the_trash_is_emptied_by_two(
    open_page: Open, store: Workspace
) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    second = store.create_run(series.id, name="second", preset="quick", config=make_config("quick"), held=True)
    page = open_page("train", series=series.id, run=run.id)
    labelled(page, "button", "Delete run").click().run()
    assert "quick-01 is in the trash." in texts(page.caption)
    labelled(page, "button", "Undo").click().run()
    assert {back.id for back in store.runs()} == {run.id, second.id}
    assert store.has_scores(run.id, series.id)
    labelled(page, "button", "Delete run").click().run()
    assert labelled(page, "button", "Empty trash").disabled
    next(box for box in page.checkbox if box.label == "Yes, delete 1 run for good").check().run()
    labelled(page, "button", "Empty trash").click().run()
    assert not page.exception
    assert store.trash() == []
    assert not store.run_folder(run.id).exists()


def test_what_a_run_took_stands_beside_what_was_expected_and_settings_are_compared(
    open_page: Open, store: Workspace
) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    store.note_cost(run.id, predicted_seconds=30.0, predicted_bytes=7e8, seconds=34.0, bytes=6.4e8)
    other = store.create_run(series.id, name="wide", config=make_config("quick", {"d_model": 48}), held=True)
    page = open_page("train", series=series.id, run=run.id)
    assert "quick-01 is finished. Took 34 s (expected 30 s), 640 MB (700 MB)." in texts(page.caption)
    runs = next(frame.value for frame in page.dataframe if "Took" in frame.value)
    assert runs.set_index("Name").loc["quick-01", "Took"] == "34 s"
    labelled(page, "selectbox", "Compare settings with").set_value(other.id).run()
    shown = next(frame.value for frame in page.dataframe if "Setting" in frame.value)
    assert not page.exception
    assert shown.set_index("Setting").loc["d_model"].tolist() == ["32", "48"]


def test_several_series_are_queued_at_once_and_stand_in_one_table(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    series = [store.add_series(small_series(rows=500 + index, name=f"pump {index}")) for index in range(3)]
    page = open_page("train", series=series[0].id)
    labelled(page, "multiselect", "Series").set_value([record.id for record in series]).run()
    labelled(page, "button", "Train on 3 series").click().run()
    assert not page.exception
    assert not page.error
    shown = next(frame.value for frame in page.dataframe if "Highest score" in frame.value)
    assert shown[["Series", "State"]].values.tolist() == [[f"pump {index}", "queued"] for index in range(3)]
    labelled(page, "radio", "Models").set_value("One shared model")
    labelled(page, "button", "Train on 3 series").click().run()
    assert not page.exception
    shared = store.runs()[0]
    assert store.find_series(shared.series_id or "").rows == 500 + 501 + 502 + 2 * 512
    assert len({run.batch for run in store.runs()}) == 2


def test_a_waiting_run_can_be_taken_first(open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    series = store.add_series(small_series())
    runs = [store.create_run(series.id, name=f"run {i}", config=make_config("quick")) for i in range(2)]
    page = open_page("train", series=series.id, run=runs[1].id)
    labelled(page, "button", "Take it first").click().run()
    assert not page.exception
    assert [store.find_run(run.id).priority for run in runs] == [0, 1]


def test_a_run_without_a_name_is_called_by_preset_and_number(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amad.jobs.local._start", lambda *_: None)
    series = store.add_series(small_series())
    for name in ("quick-07", "quick-x", "balanced-12"):
        store.create_run(series.id, name=name, preset="quick", config=make_config("quick"), held=True)
    page = open_page("train")
    labelled(page, "button_group", "Preset").set_value("quick").run()
    assert labelled(page, "text_input", "Name").placeholder == "quick-08"
    labelled(page, "button", "Start training").click().run()
    assert not page.exception
    assert store.find_run("quick-08").preset == "quick"


def test_a_finished_run_says_so_and_start_stands_before_import(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series)
    page = open_page("train")
    assert "quick-01 is finished." in texts(page.caption)
    assert next(button.label for button in page.main.button) == "Start training"


def test_a_file_that_is_no_run_is_refused_in_words(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page("train")
    page.get("file_uploader")[0].set_value(("run.zip", b"no zip at all", "application/zip")).run()
    assert not page.exception
    assert "run" in page.error[0].value
    assert "/tmp" not in page.error[0].value
    assert store.runs() == []


def test_scoring_a_series_that_lacks_channels_is_refused_in_words(store: Workspace, tmp_path: Path) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    other = store.add_series(small_series(name="other").take(CHANNELS[:2]))
    script = tmp_path / "offer.py"
    script.write_text(
        "from app.parts import runs, workspace\n"
        f"store = workspace.get()\nruns.score_offer(store.find_run({run.id!r}), store.find_series({other.id!r}), 'offer')\n"
    )
    page = AppTest.from_file(str(script), default_timeout=60).run()
    assert not page.exception
    assert "the series has no channel \\*\\*pH\\*\\*. Choose a series with the same channels" in page.error[0].value


def job(**changes: Any) -> progress.Job:
    now = {"stage": "training", "step": 1240, "steps": 3650, "epoch": 3, "epochs": 10}
    now |= {"windows_per_second": 212.3, "seconds_left": 235.0}
    return progress.Job(**{"id": "a", "run_id": "a", "name": "balanced-04", "state": "running", "progress": now,
                           "series_id": None, "scoring": False} | changes)  # fmt: skip


def test_progress_in_words() -> None:
    assert progress.long(job()) == "34\u2009% · step 1,240 of 3,650 · 212 windows/s · about 4 min left"
    assert progress.short(job()) == "balanced-04 training, 4 min left"
    assert progress.headline(job()) == "training, epoch 3 of 10"
    assert progress.long(job(state="queued")) == "Waiting for its turn"
    assert progress.long(job(progress={})) == "Starting"
    assert progress.short(job(state="queued", progress={})) == "balanced-04 queued"
    assert progress.fraction({"step": 9, "steps": 3}) == 1.0
    assert progress.fraction({"step": None, "steps": None}) == 0.0
