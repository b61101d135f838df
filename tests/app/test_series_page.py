"""The page Series: bundled series, uploads that open or say why not, the report with its fixes, the training part."""

from collections.abc import Callable
from pathlib import Path

import pytest
from app_made import finished_run, small_series
from streamlit.testing.v1 import AppTest

from amad.workspace import Workspace
from amad.workspace.incoming import Incoming

Open = Send = Callable[..., AppTest]
GOOD = "time,flow,temp,label\n" + "".join(
    f"2020-03-14 05:{minute:02d},{minute % 7},{minute * 0.5},{int(minute == 30)}\n" for minute in range(60)
)
BAD = "time,flow,temp\n" + "".join(
    f"2020-03-14 05:{minute:02d},{minute},{'wet' if minute == 30 else minute}\n" for minute in range(60)
)


def texts(elements: object) -> str:
    return "\n".join(str(element.value) for element in elements)  # type: ignore[attr-defined]


def button(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(element for element in page.button if element.label == label)


def test_one_click_opens_a_bundled_series_with_its_context(open_page: Open, store: Workspace) -> None:
    page = open_page()
    button(page, "Open series").click().run()
    assert not page.exception
    series = store.series()[0]
    assert page.query_params["series"] == series.id
    assert "channels" in texts(page.caption)
    assert "Training part" in texts(page.subheader)


def test_an_upload_opens_without_a_further_click(open_page: Open, store: Workspace, send: Send) -> None:
    page = open_page()
    send(page, ("pump.csv", GOOD.encode()))
    assert not page.exception
    assert not page.error
    series = store.series()[0]
    assert (series.name, series.rows, series.channels) == ("pump", 60, ("flow", "temp"))
    assert page.query_params["series"] == series.id
    assert "Training part" in texts(page.subheader)


def test_a_bad_upload_stands_in_a_box_and_nothing_is_lost(open_page: Open, store: Workspace, send: Send) -> None:
    page = open_page()
    send(page, ("empty.csv", b""))
    assert not page.exception
    assert "empty" in page.error[0].value
    assert store.series() == []
    assert len(list((store.path / "incoming").iterdir())) == 1
    assert "The file is kept." in texts(page.caption)


def test_an_upload_can_be_read_again_with_other_options(open_page: Open, store: Workspace, send: Send) -> None:
    page = open_page()
    send(page, ("pump.csv", GOOD.encode()))
    first = store.series()[0]
    next(box for box in page.selectbox if box.label == "Label column").select("flow")
    button(page, "Read again").click().run()
    assert not page.exception
    known = store.series()
    assert len(known) == 1
    assert known[0].id != first.id
    assert known[0].name == "pump"
    assert known[0].channels == ("temp",)


def test_the_training_part_is_set_by_exact_rows(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page()
    assert "The whole series." in texts(page.caption)
    first, last = (
        next(box for box in page.number_input if box.label == label) for label in ("First row", "Row after the last")
    )
    first.set_value(10)
    last.set_value(250)
    button(page, "Set training part").click().run()
    assert not page.exception
    assert store.find_series(series.id).part == (10, 250)
    assert "Sat 14 Mar 05:57 to 09:56 · 240 rows · 40" in texts(page.caption).replace("\\", "").replace("\u2060", "")


def test_a_part_that_ends_before_it_begins_is_refused_in_words(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page()
    next(box for box in page.number_input if box.label == "First row").set_value(300)
    next(box for box in page.number_input if box.label == "Row after the last").set_value(200)
    button(page, "Set training part").click().run()
    assert not page.exception
    assert page.error
    assert store.find_series(series.id).part is None


def test_a_finding_can_be_mended_into_a_prepared_series(open_page: Open, store: Workspace, tmp_path: Path) -> None:
    from amad.series import read

    path = tmp_path / "tank.csv"
    path.write_text("a,b,still\n" + "".join(f"{row % 5},{row % 7},3\n" for row in range(200)))
    old = store.add_series(read(path))
    page = open_page()
    assert "Constant" in list(page.dataframe[0].value["Finding"])
    button(page, "Apply fix").click().run()
    assert not page.exception
    new = store.series()[0]
    assert new.id != old.id
    assert new.channels == ("a", "b")
    assert page.query_params["series"] == new.id


def test_missing_cells_are_filled_in_a_straight_line_by_one_click(
    open_page: Open, store: Workspace, tmp_path: Path
) -> None:
    from amad.series import read

    path = tmp_path / "tank.csv"
    path.write_text("a,b\n" + "".join(f"{'' if row == 50 else 2 * row},{row % 7}\n" for row in range(200)))
    store.add_series(read(path))
    page = open_page()
    button(page, "Apply fix").click().run()
    assert not page.exception
    filled = store.open_series(store.series()[0].id)
    assert filled.values[50, 0] == 100


def test_a_prepared_series_keeps_chosen_channels_and_the_old_one_stays(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page()
    next(box for box in page.multiselect if box.label == "Channels").select("temp")
    button(page, "Create prepared series").click().run()
    assert not page.exception
    assert [series.channels for series in store.series()] == [("temp",), ("flow", "temp", "**pH**")]


def test_a_resampled_series_reports_on_itself(open_page: Open, store: Workspace, send: Send) -> None:
    minutes = [*range(30), 29, *range(31, 60, 2)]  # one time twice, then every other minute
    minutes[5], minutes[6] = minutes[6], minutes[5]
    rows = "".join(f"2026-03-02 09:{minute:02d},{minute % 7},{minute * 0.5}\n" for minute in minutes)
    page = open_page()
    send(page, ("pump.csv", f"time,flow,temp\n{rows}".encode()))
    assert {"Unsorted", "Duplicate times"} <= set(page.dataframe[0].value["Finding"])
    next(box for box in page.selectbox if box.label == "Resample to").select("5 min")
    button(page, "Create prepared series").click().run()
    assert not page.exception
    assert list(page.dataframe[0].value["Finding"]) == ["Resampled"]
    assert "Apply fix" not in [element.label for element in page.button]


def test_rename_and_delete(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page()
    next(box for box in page.text_input if box.label == "Name").set_value("<b>pump</b>").run()
    button(page, "Rename series").click().run()
    assert not page.exception
    assert store.find_series(series.id).name == "<b>pump</b>"
    assert button(page, "Delete series").disabled
    next(box for box in page.checkbox if box.label.startswith("Yes, delete")).check().run()
    button(page, "Delete series").click().run()
    assert not page.exception
    assert store.series() == []
    assert "Open a series to begin" in texts(page.subheader)


@pytest.mark.parametrize("name", ["**bold**", "<script>alert(1)</script>", "$x$ :red[y] :material/home:", "a" * 200])
def test_hostile_names_are_shown_as_they_are(open_page: Open, store: Workspace, name: str) -> None:
    series = store.add_series(small_series(name=name))
    finished_run(store, series)
    for view in ("series", "train", "incidents"):
        page = open_page(view)
        assert not page.exception
        for element in (*page.markdown, *page.caption, *page.subheader):
            assert name not in str(element.value) or name == "a" * 200


@pytest.mark.parametrize("name", ["pump.csv", "pump (1).csv"])
def test_a_corrected_file_opens_although_the_bad_one_still_stands_in_the_list(
    open_page: Open, store: Workspace, send: Send, name: str
) -> None:
    page = open_page()
    send(page, ("pump.csv", BAD.encode()))
    assert 'column "temp"' in page.error[0].value.replace("\\", "").replace("\u2060", "")
    send(page, (name, GOOD.encode()))
    assert not page.exception
    assert not page.error
    assert [series.channels for series in store.series()] == [("flow", "temp")]


def test_several_files_are_one_series_and_a_removed_one_is_left_out(
    open_page: Open, store: Workspace, send: Send
) -> None:
    from app.components.upload import Told

    page = open_page()
    send(page, ("a.csv", GOOD.encode()), ("b.csv", BAD.encode()))
    assert page.error
    assert store.series() == []
    bad = next(path for path in (store.path / "incoming").glob("*/file/b.csv"))
    send(page, told=Told(removed=bad.parents[1].name))
    assert not page.exception
    assert not page.error
    assert [series.source for series in store.series()] == ["a.csv"]
    assert not bad.exists()


def test_new_options_read_a_kept_file_again(open_page: Open, store: Workspace, send: Send) -> None:
    page = open_page()
    send(page, ("pump.csv", BAD.encode()))
    assert page.error
    next(box for box in page.text_input if box.label == "Missing tokens").set_value("wet")
    button(page, "Read again").click().run()
    assert not page.exception
    assert not page.error
    assert [series.rows for series in store.series()] == [60]


def test_the_next_upload_begins_anew(open_page: Open, store: Workspace, send: Send) -> None:
    page = open_page()
    send(page, ("pump.csv", GOOD.encode()))
    button(page, "Add series").click().run()
    send(page, ("tank.csv", GOOD.replace("flow", "fill").encode()))
    assert not page.exception
    assert sorted(series.source for series in store.series()) == ["pump.csv", "tank.csv"]


def test_an_upload_that_is_gone_is_said_so(open_page: Open, store: Workspace, send: Send) -> None:
    from app.components.upload import Told

    page = open_page()
    send(page, told=Told(sent=("0" * 32,)))
    assert not page.exception
    assert "no longer here" in page.error[0].value


def test_a_file_of_an_allowed_folder_opens_by_its_path(
    open_page: Open, store: Workspace, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "pump.csv").write_text(GOOD)
    assert "Open file" not in [element.label for element in open_page().button]
    monkeypatch.setenv("AMAD_FOLDERS", str(folder))
    page = open_page()
    next(box for box in page.selectbox if box.label == "File").select("pump.csv").run()
    button(page, "Open file").click().run()
    assert not page.exception
    assert [series.source for series in store.series()] == ["pump.csv"]
    assert (folder / "pump.csv").exists()


def test_a_reading_shows_how_far_it_is_and_ends_when_asked(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from amad.series.scratch import Reading
    from app.components import upload as component

    shown: list[component.Reading | None] = []
    told: list[component.Told] = []

    def zone(**given: object) -> component.Told:
        shown.append(given["reading"])  # type: ignore[arg-type]
        return told.pop() if told else component.Told()

    reached, go = threading.Event(), threading.Event()

    def slow(self: Workspace, path: object, on_reading: Callable[[Reading], None], **_: object) -> None:
        on_reading(Reading(10, 100, 2.0))
        reached.set()
        assert go.wait(60)
        on_reading(Reading(20, 100, 4.0))

    monkeypatch.setattr(component, "drop_zone", zone)
    monkeypatch.setattr(Workspace, "add_file", slow)
    page = open_page()
    incoming, owner = Incoming(store.path), str(page.session_state["amad_owner"])
    known = incoming.begin(owner, "pump.csv", 0)
    told.append(component.Told(sent=(known.id,)))
    page.run()
    assert reached.wait(60)
    page.run()
    assert shown[-1] == component.Reading("pump.csv", "Reading", 10, 100, 18.0, "bytes")
    told.append(component.Told(cancelled=True))
    page.run()
    job = page.session_state["amad_upload"].job
    go.set()
    assert job.wait(60)
    page.run()
    assert not page.exception
    assert shown[-1] is None
    assert "Reading was ended. The file is kept" in texts(page.caption)
    assert incoming.find(owner, known.id).path is not None
    assert store.series() == []
