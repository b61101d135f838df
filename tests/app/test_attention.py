"""The page Attention: which window, block, head and step it shows, the facts of a step, and what it says without a run."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from trained_run import BLOCKS, EVENT, HEADS, ROWS, WINDOW, series, trained_run
from trained_run import at_work as at_work

from amad.plots.words import CAUTION
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
from app.components import packing
from app.components.maps import sources
from app.components.maps.sources import chosen
from app.parts.learned import box_rows

Open = Callable[..., AppTest]


def told(page: AppTest) -> str:
    """All words of the page."""
    kinds = ("markdown", "caption", "subheader", "title", "info", "error")
    shown = [str(element.value) for kind in kinds for element in page.get(kind)]
    shown += [str(element.proto.body) for element in page.get("html")]
    return "\n".join(shown + [element.proto.json for element in page.get("bidi_component")])


@pytest.fixture
def page(open_page: Open, store: Workspace) -> AppTest:
    trained_run(store, store.add_series(series()))
    return open_page("attention")


def test_it_opens_on_the_highest_event_and_says_which_rows(page: AppTest) -> None:
    assert not page.exception
    step = page.session_state["attention-step"]
    assert EVENT[0] - WINDOW <= step <= EVENT[1] + WINDOW
    words = told(page)
    assert "Event " in words
    assert "rows 1" in words
    assert CAUTION in words
    assert "Local mass within 8 steps" in words
    assert "It sees what the linear part leaves over." in words


def test_block_and_head_can_be_chosen_and_averaged(page: AppTest) -> None:
    head = page.selectbox(key="attention-head")
    assert list(head.options) == ["Mean of 2 heads", "Head 1", "Head 2"]
    head.set_value("Head 2").run()
    page.selectbox(key="attention-block").set_value("Mean").run()
    assert not page.exception
    assert page.session_state["attention-head"] == "Head 2"


def test_a_row_of_the_address_is_the_middle_of_the_window(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record)
    page = open_page("attention", series=record.id, run=run.id, at="60")
    assert not page.exception
    assert "rows 52 to 68" in told(page)
    page.number_input(key="attention-row").set_value(5).run()
    assert not page.exception
    assert "rows 0 to 16" in told(page)
    assert page.query_params["at"] == "5"


def test_next_and_previous_move_between_events(page: AppTest) -> None:
    before = page.session_state["attention-step"]
    buttons = {button.label: button for button in page.button}
    assert {"Previous event", "Next event"} <= set(buttons)
    open_ones = [button for name, button in buttons.items() if "event" in name and not button.disabled]
    for button in open_ones[:1]:
        button.click().run()
        assert not page.exception
        assert page.session_state["attention-step"] != before


def test_a_run_without_scores_still_shows_its_maps(open_page: Open, store: Workspace) -> None:
    trained_run(store, store.add_series(series()), scored=False)
    page = open_page("attention")
    assert not page.exception
    assert f"rows {(ROWS - WINDOW) // 2} to {(ROWS + WINDOW) // 2}" in told(page)
    assert "Rank of CAD" not in told(page)


def test_one_channel_no_clock_and_a_gate_a_token(open_page: Open, store: Workspace) -> None:
    trained_run(store, store.add_series(series(("x",), clock=False)), gate="token", linear="none")
    page = open_page("attention")
    assert not page.exception
    assert "linear part" not in told(page)


@pytest.mark.parametrize(
    ("state", "button", "heading"),
    [(None, "Train a run", "No run to look into yet"), ("running", "Watch the training", "tiny is being trained")],
)
def test_without_a_finished_run_it_says_what_to_do(
    open_page: Open, store: Workspace, at_work: None, state: str | None, button: str, heading: str
) -> None:
    record = store.add_series(series())
    address = {"series": record.id}
    if state is not None:
        address["run"] = trained_run(store, record, state=state).id
    page = open_page("attention", **address)
    assert not page.exception
    assert heading in told(page)
    assert [one.label for one in page.button] == [button]


def test_without_a_series_it_leads_to_series(open_page: Open) -> None:
    page = open_page("attention")
    assert "No series yet" in told(page)
    assert [one.label for one in page.button] == ["Open a series"]


def test_a_series_shorter_than_a_window_is_told_with_both_numbers(open_page: Open, store: Workspace) -> None:
    run = trained_run(store, store.add_series(series()))
    short = store.add_series(series().slice(0, 9), name="short")
    page = open_page("attention", series=short.id, run=run.id)
    assert not page.exception
    assert "short has 9 rows, a window of this run has 16." in told(page)


def test_maps_too_large_for_memory_are_not_made(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_run(store, store.add_series(series()))
    monkeypatch.setattr(sources, "MOST_BYTES", 12 * BLOCKS * HEADS * WINDOW**2 - 1)
    page = open_page("attention")
    assert not page.exception
    assert "All maps of one window of 16 steps take 12.3 kB." in told(page)


def test_a_damaged_run_is_told_not_thrown(open_page: Open, store: Workspace) -> None:
    run = trained_run(store, store.add_series(series()))
    (store.run_folder(run.id) / "detection.json").write_text("{")
    page = open_page("attention")
    assert not page.exception
    assert "detection.json" in "".join(element.value for element in page.error).replace("\\", "")


def test_a_choice_of_block_and_head_is_the_literal_mean() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((4, BLOCKS, HEADS, 5, 5)).astype(np.float32)
    found = {
        "local": maps[0], "global": maps[1], "mixed": maps[2], "cad_heads": maps[3, ..., 0], "mixing": maps[3, ..., 0, 0],
    }  # fmt: skip
    assert np.allclose(chosen(found, 1, None).local, (maps[0, 1, 0] + maps[0, 1, 1]) / 2)
    assert np.array_equal(chosen(found, 1, 0).global_, maps[1, 1, 0])
    assert np.allclose(chosen(found, None, None).cad, sum(maps[3, b, h, :, 0] for b in range(2) for h in range(2)) / 4)
    assert np.allclose(chosen(found, 0, 1).mixing, np.full(5, maps[3, 0, 1, 0, 0]))


def test_packed_maps_come_back_within_half_a_step_of_their_scale() -> None:
    import base64

    weights = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    pack = packing.packed(weights)
    back = np.frombuffer(base64.b64decode(pack["data"]), "<u2").reshape(7, 7) * pack["top"] / 65535
    assert np.abs(back - weights).max() <= pack["top"] / 65535
    assert packing.packed(np.zeros((2, 2), np.float32))["top"] == 1.0


def test_long_windows_are_averaged_in_squares() -> None:
    weights = np.random.default_rng(0).random((10, 10))
    small = packing.pooled(weights, 5)
    assert np.allclose(small[1, 3], weights[2:4, 6:8].mean())
    assert packing.pooled(weights, 10).shape == (10, 10)
    uneven = packing.pooled(weights, 3)
    assert np.allclose(uneven[0, 2], weights[0:3, 6:10].mean())


def test_pictures_need_maps_of_blocks_and_heads() -> None:
    from amad.errors import InputError

    with pytest.raises(InputError, match=r"^weights: shape \(3, 3\) does not fit; give \(N, H, L, L\)\.$"):
        packing.pictures(np.zeros((3, 3)))
    text, size = packing.pictures(np.ones((2, 3, 40, 40)))
    assert size == 36
    assert len(text) == -(-2 * 3 * 36 * 36 // 3) * 4


def test_the_window_is_cut_as_inspection_cuts_it(store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record)
    for at in (0, 7, 8, 9, 120, ROWS - 1):
        rows = sources.window(run, record, at)["rows"]
        assert sources.span(run, record, at) == (rows[0], len(rows))


def test_the_numbers_of_every_head_are_those_of_the_window(page: AppTest) -> None:
    page.selectbox(key="attention-view").set_value("Heads").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == BLOCKS * HEADS
    assert table["entropy_local"].between(0, 1).all()
    assert table["cad"].between(0, np.log(2)).all()


@pytest.mark.parametrize(
    "view", ["Maps", "Heads", "Beside a usual window", "Still flagged?", "Why this score", "Over the series"]
)
def test_every_view_says_what_attention_does_not_prove(page: AppTest, view: str) -> None:
    page.selectbox(key="attention-view").set_value(view).run()
    assert not page.exception
    assert CAUTION in told(page)


def test_rollout_is_a_choice_of_block(page: AppTest) -> None:
    page.selectbox(key="attention-block").set_value("Rollout").run()
    assert not page.exception
    assert "Local mass within 8 steps" in told(page)


def test_a_usual_window_stands_beside(page: AppTest) -> None:
    page.selectbox(key="attention-view").set_value("Beside a usual window").run()
    assert not page.exception
    assert "Usual window" in told(page)
    assert page.number_input(key="attention-other").value < 140  # in the training part
    page.number_input(key="attention-other").set_value(200).run()
    assert "Other window" in told(page)


@pytest.mark.parametrize("way", ["Reconstruction", "Previous period", "Straight line"])
def test_a_stretch_made_usual_changes_the_score(page: AppTest, way: str) -> None:
    page.selectbox(key="attention-view").set_value("Still flagged?").run()
    page.selectbox(key="attention-way").set_value(way).run()
    assert not page.exception
    assert "In this window the score goes from" in told(page)
    page.button(key="attention-try").click().run()
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == 10
    assert np.isclose(table["Attention (mixed)"].sum(), 1, atol=1e-3)
    assert "Rank agreement of attention and size of change" in told(page)
    assert CAUTION in told(page)


def test_the_score_is_taken_apart(page: AppTest) -> None:
    page.selectbox(key="attention-view").set_value("Why this score").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert set(table["Channel"]) == {"<b>flow</b>", "temp"}
    assert np.isclose(table["Share"].sum(), 1, atol=1e-3)
    assert "Reconstruction" in told(page)
    assert page.get("plotly_chart")[0].proto.alt.startswith("Row ")


def test_a_head_over_the_series_has_strips_and_windows_where_it_does_the_same(page: AppTest) -> None:
    page.selectbox(key="attention-head").set_value("Head 2").run()
    page.selectbox(key="attention-view").set_value("Over the series").run()
    assert not page.exception
    assert "Head 2 does the same in" in told(page)
    (line,) = page.get("bidi_component")
    strips = json.loads(line.proto.json)["strips"]
    assert [one["label"] for one in strips["list"]] == ["Distance (P, G)", "Entropy (P, G)", "CAD"]
    assert strips["rows"] == [*range(0, ROWS, WINDOW)]
    assert strips["at"] == 142  # the window of the event
    assert all(len(one["values"]) == len(strips["rows"]) for strip in strips["list"] for one in strip["lines"])
    table = page.dataframe[0].value
    assert list(table["Unlike"]) == sorted(table["Unlike"])
    assert len(table) == 12


def test_a_time_is_where_the_window_lies_and_what_is_none_is_told(page: AppTest) -> None:
    page.text_input(key="attention-time").set_value("2020-03-14 01:00").run()
    assert not page.exception
    assert "rows 52 to 68" in told(page)
    page.text_input(key="attention-time").set_value("noon-ish").run()
    assert "is neither the number of a row nor a time" in told(page).replace("\\", "")
    assert "rows 52 to 68" in told(page)


def test_what_people_labelled_can_be_looked_at(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record)
    page = open_page("attention", series=record.id, run=run.id)
    assert not [one for one in page.selectbox if one.label == "Incident"]
    (made,) = Incidents(store, record.id, "Ann").add(20, 31, type="Spike")
    page.run()
    page.selectbox(key="attention-label").set_value(made.id).run()
    assert not page.exception
    assert page.query_params["at"] == "25"


@pytest.mark.parametrize(
    ("edges", "rows"),
    [
        ([15.4, 12.2], (12, 15)),
        ([2.0, 14.6], (10, 15)),
        ([28, 99], (28, 30)),
        ([1, 2], None),
        (["a", 3], None),
        (None, None),
    ],
)
def test_a_box_over_a_figure_is_rows_inside_of_the_window(edges: list | None, rows: tuple[int, int] | None) -> None:
    chart = {"selection": {"box": [{"x": [0, 1]}, {"x": edges}]}}
    assert box_rows(chart, 10, 30) == rows
    assert box_rows({"selection": {"box": []}}, 10, 30) is None
    assert box_rows(None, 10, 30) is None
