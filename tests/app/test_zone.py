"""One time zone for every page and export, kept in the address; what is kept follows the browser's history back."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from app_made import CHANNELS, finished_run, small_series
from streamlit.testing.v1 import AppTest

from amad.series import Report, Series
from amad.workspace import Workspace
from app.parts import text

Open = Callable[..., AppTest]


def test_the_zone_of_the_address_holds_in_the_list_and_in_the_details(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    page = open_page("incidents", series=series.id, run=run.id, zone="Asia/Tokyo")
    assert not page.exception
    assert "14 Mar 19:47" in page.dataframe[0].value["Start"].tolist()  # row 300 is 10:47 UTC
    page.sidebar.selectbox(key="amad_run").select(run.id).run()
    assert page.query_params["zone"] == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "<b>", "x" * 300])
def test_a_zone_that_is_none_is_left_out(open_page: Open, store: Workspace, zone: str) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    page = open_page("incidents", series=series.id, run=run.id, zone=zone)
    assert not page.exception
    assert "14 Mar 10:47" in page.dataframe[0].value["Start"].tolist()


def test_the_zone_outlives_a_change_of_the_series(open_page: Open, store: Workspace) -> None:
    old = store.add_series(small_series(name="old"))
    series = store.add_series(small_series(name="new"))
    page = open_page("incidents", series=series.id, zone="UTC", **{"from": "10", "to": "20"})
    page.sidebar.selectbox(key="amad_series").select(old.id).run()
    assert page.query_params["zone"] == "UTC"
    assert "from" not in page.query_params


def test_an_address_without_a_view_forgets_it_as_the_browsers_back_does(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series)
    page = open_page("train", series=series.id, run=run.id, **{"from": "200", "to": "400"})
    assert page.query_params["from"] == "200"
    del page.query_params["from"], page.query_params["to"]
    page.run()
    assert "from" not in page.query_params
    page.query_params.clear()  # another page: the address is empty, what is kept holds
    page.run()
    assert page.query_params["series"] == series.id


def test_clocks_tell_the_zone_and_as_much_of_a_second_as_rows_need() -> None:
    night = pd.date_range("2026-03-29 00:30", periods=4, freq="30min", tz="UTC")
    berlin = text.Clock(night, "Europe/Berlin")  # the clock goes from 02:00 to 03:00
    assert [berlin.at(row)[-5:] for row in range(4)] == ["01:30", "03:00", "03:30", "04:00"]
    assert berlin.zone == "Europe/Berlin"
    assert text.Clock(night.tz_localize(None), "Europe/Berlin").zone == "no zone"
    fine = text.Clock(pd.date_range("2026-03-29 10:00", periods=9, freq="250us", tz="UTC"))
    assert fine.at(1) == "Sun 29 Mar 10:00:00.000250"
    assert text.Clock(pd.date_range("2026-03-29 10:00", periods=9, freq="4ms")).at(2) == "Sun 29 Mar 10:00:00.008"
    assert text.Clock(pd.date_range("2026-03-29 10:00", periods=9, freq="1s")).at(2) == "Sun 29 Mar 10:00:02"
    assert text.Clock(pd.DatetimeIndex([])).at(2) == "row 2"


def test_exports_are_in_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    from amad.detection import find_events
    from app.parts import events, selection

    monkeypatch.setattr(selection, "zone", lambda: "Asia/Tokyo")
    stamps = pd.date_range("2026-03-02", periods=4, freq="1h", tz="UTC")
    series = Series("s", np.zeros((4, 3), np.float32), CHANNELS, stamps, None, Report(4))
    found = events.rows_of(find_events(np.array([0, 1, 1, 0]), 0.5), CHANNELS, series)
    assert found[0]["start"] == "2026-03-02 10:00:00+09:00"
