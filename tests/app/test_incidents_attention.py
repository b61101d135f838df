"""Attention on the signals of Incidents: what the timeline is told when a key asked for it, and when a run has none."""

import base64
import json
from collections.abc import Callable

import numpy as np
from app_made import finished_run, small_series
from streamlit.testing.v1 import AppTest
from trained_run import BLOCKS, HEADS, WINDOW, series, trained_run

from amad.detection import Detector
from amad.inspection import inspect
from amad.workspace import Workspace

Open = Callable[..., AppTest]


def given(page: AppTest) -> dict:
    (line,) = page.get("bidi_component")
    return json.loads(line.proto.json)


def test_the_maps_of_the_window_that_was_asked_for_go_to_the_browser_once(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record)
    page = open_page("incidents", series=record.id, run=run.id)
    assert given(page)["attends"] is True
    assert given(page)["paint"] is None
    page.session_state[f"incidents-{run.id}-{record.id}-attends"] = 153
    page.run()
    assert not page.exception
    paint = given(page)["paint"]
    assert (paint["start"], paint["row"], paint["steps"], paint["size"]) == (145, 153, WINDOW, WINDOW)
    assert paint["words"] == f"Block {BLOCKS}, mean of {HEADS} heads"
    literal = inspect(Detector.load(store.run_folder(run.id), "cpu"), series().values, 153)
    for name in ("local", "global"):
        parts = np.frombuffer(base64.b64decode(paint[name]["data"]), np.uint8).reshape(WINDOW, WINDOW)
        weights = paint[name]["top"] * (parts / 255.0) ** 2
        assert np.allclose(weights, literal[name][-1].mean(axis=0), atol=0.01 * paint[name]["top"])


def test_a_run_that_cannot_look_into_windows_offers_no_attention(open_page: Open, store: Workspace) -> None:
    record = store.add_series(small_series())
    finished_run(store, record)
    assert given(open_page("incidents"))["attends"] is False


def test_a_run_whose_files_are_damaged_says_so_and_paints_nothing(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record)
    page = open_page("incidents", series=record.id, run=run.id)
    (store.run_folder(run.id) / "model.safetensors").write_bytes(b"{")
    page.session_state[f"incidents-{run.id}-{record.id}-attends"] = 153
    page.run()
    assert not page.exception
    assert given(page)["paint"] is None
    assert "model.safetensors" in "".join(one.value for one in page.toast).replace("\\", "")
