"""The timeline's data route: true extremes on a still grid, and a plain refusal for everything else."""

import json
import struct
from typing import Any

import numpy as np
import pandas as pd
import pytest
from serving import ROWS, Served

from amad.series import Report, Series
from app.components.timeline.sources import Clock
from app.server import tokens


def decode(body: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a payload, read as the browser reads it."""
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    place = -(-(4 + length) // 8) * 8

    def take(kind: str, count: int) -> np.ndarray:
        nonlocal place
        array = np.frombuffer(body, dtype=kind, count=count, offset=place)
        place = -(-(place + array.nbytes) // 8) * 8
        return array

    arrays = {"row": take("<f8", header["knots"]), "time": take("<f8", header["knots"])}
    for track in header["tracks"]:
        arrays[f"{track['id']}.lo"] = take("<f4", header["count"])
        lo = arrays[f"{track['id']}.lo"]
        arrays[f"{track['id']}.hi"] = lo if track["single"] else take("<f4", header["count"])
        if track["missing"]:
            arrays[f"{track['id']}.missing"] = take("u1", header["count"])
    assert place == len(body)
    return header, arrays


def slow_extremes(values: np.ndarray, start: int, stop: int, rows: int) -> tuple[list[float], list[float], list[bool]]:
    """Least and greatest of each bucket on the grid, row by row."""
    lo, hi, missing = [], [], []
    for bucket in range(start // rows, -(-stop // rows)):
        part = values[bucket * rows : (bucket + 1) * rows]
        present = part[~np.isnan(part)]
        lo.append(float(present.min()) if len(present) else np.nan)
        hi.append(float(present.max()) if len(present) else np.nan)
        missing.append(bool(np.isnan(part).any()))
    return lo, hi, missing


@pytest.mark.parametrize("rows", [1, 2, 4, 8, 16, 32, 64, 256, 512])
@pytest.mark.parametrize(("start", "stop"), [(0, ROWS), (3, 998), (411, 418), (600, 601)])
def test_buckets_hold_the_true_extremes_whatever_the_span(served: Served, rows: int, start: int, stop: int) -> None:
    answer = served.get(start=start, stop=stop, rows=rows, tracks="c0,c1,c2,score,e1")
    assert answer.status_code == 200
    header, arrays = decode(answer.content)
    assert header["start"] == start // rows * rows
    columns = {"c0": served.values[:, 0], "c1": served.values[:, 1], "c2": served.values[:, 2]}
    columns |= {"score": served.scores[:, 0], "e1": served.scores[:, 4]}
    assert [track["id"] for track in header["tracks"]] == list(columns)
    for track, values in columns.items():
        lo, hi, missing = slow_extremes(values, start, stop, rows)
        if track == "e1":  # of expected values, the middle
            lo = hi = ((np.array(lo, np.float32) + np.array(hi, np.float32)) / 2).tolist()
        np.testing.assert_array_equal(arrays[f"{track}.lo"], np.array(lo, dtype=np.float32))
        np.testing.assert_array_equal(arrays[f"{track}.hi"], np.array(hi, dtype=np.float32))
        assert arrays.get(f"{track}.missing", np.zeros(len(lo), "u1")).astype(bool).tolist() == missing


@pytest.mark.parametrize("rows", [1, 16, 32, 256])
def test_infinities_come_with_their_sign_at_every_width(served: Served, rows: int) -> None:
    values = np.zeros((ROWS, 1), dtype=np.float32)
    values[[100, 101, 500, 900], 0] = np.inf, -np.inf, -np.inf, np.nan
    series = served.store.add_series(Series("far", values, ("a",), None, None, Report(ROWS)))
    answer = served.get(
        tokens.mint(served.store, series.id, []), series=series.id, run=None, start=0, stop=ROWS, rows=rows
    )
    _, arrays = decode(answer.content)
    codes = np.zeros(-(-ROWS // rows), dtype=np.uint8)
    for row, code in ((100, 1 | 2), (101, 1 | 4), (500, 1 | 4), (900, 1)):
        codes[row // rows] |= code
    np.testing.assert_array_equal(arrays["c0.missing"], codes)
    assert np.isnan(arrays["c0.lo"]).sum() == (4 if rows == 1 else 0)


def test_the_grid_stands_still_while_the_view_moves(served: Served) -> None:
    _, first = decode(served.get(start=0, stop=ROWS, rows=8, tracks="c1").content)
    header, second = decode(served.get(start=101, stop=700, rows=8, tracks="c1").content)
    place = header["start"] // 8
    np.testing.assert_array_equal(second["c1.hi"], first["c1.hi"][place : place + header["count"]])


def test_each_track_tells_the_range_of_the_whole_series(served: Served) -> None:
    header, _ = decode(served.get(start=0, stop=10, tracks="c1,c2").content)
    ranges = [track["range"] for track in header["tracks"]]
    assert ranges == [[float(served.values[:, 1].min()), 50.0], [7.0, 7.0]]


def test_the_mean_envelope_averages_channels_between_their_own_extremes(served: Served) -> None:
    _, arrays = decode(served.get(start=0, stop=ROWS, rows=64, tracks="mean").content)
    expected = []
    for bucket in range(-(-ROWS // 64)):
        tops = []
        for channel in (0, 1):  # the constant channel says nothing
            values = served.values[:, channel].astype(np.float64)
            low, high = np.nanmin(values), np.nanmax(values)
            tops.append((np.nanmax(values[bucket * 64 : (bucket + 1) * 64]) - low) / (high - low))
        expected.append(np.mean(tops))
    np.testing.assert_allclose(arrays["mean.hi"], expected, rtol=1e-6)


def test_times_of_an_even_series_need_two_knots(served: Served) -> None:
    header, arrays = decode(served.get(start=100, stop=200).content)
    assert (header["axis"], header["zone"], header["knots"]) == ("time", "UTC", 2)
    assert arrays["row"].tolist() == [100, 199]
    first = pd.Timestamp("2026-03-02 06:40", tz="UTC").timestamp() * 1000
    assert arrays["time"].tolist() == [first, first + 99 * 60_000]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"series": "../etc"}, "series and run are identifiers of the workspace."),
        ({"run": "a b"}, "series and run are identifiers of the workspace."),
        ({"start": "-1"}, "start must be a whole number, 0 or more."),
        ({"stop": "1e3"}, "stop must be a whole number, 0 or more."),
        ({"stop": None}, "stop must be a whole number, 0 or more."),
        ({"rows": "3"}, "rows is 3; it must be a power of two."),
        ({"rows": "0"}, "rows is 0; it must be a power of two."),
        ({"start": "50", "stop": "50"}, "start 50 is not before stop 50."),
        (
            {"tracks": ""},
            "tracks names 1 to 160 tracks: c0, e0, score, reconstruction, divergence, shape, cad or mean.",
        ),
        (
            {"tracks": "share:flow"},
            "tracks names 1 to 160 tracks: c0, e0, score, reconstruction, divergence, shape, cad or mean.",
        ),
        (
            {"tracks": ",".join(f"c{i}" for i in range(161))},
            "tracks names 1 to 160 tracks: c0, e0, score, reconstruction, divergence, shape, cad or mean.",
        ),
        ({"stop": "900000000000000"}, "900000000000000 buckets of 1 tracks are too many; ask for more rows a bucket."),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_the_reason(
    served: Served, changes: dict[str, Any], message: str
) -> None:
    answer = served.get(**changes)
    assert (answer.status_code, answer.json()) == (400, {"error": message})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tracks": "c3"}, "There is no track 'c3' here."),
        ({"tracks": "c0,e0"}, "There is no track 'e0' here."),
        ({"tracks": "secret"}, "There is no track 'secret' here."),
        ({"run": None, "tracks": "score"}, "There is no track 'score' here."),
        ({"start": 1000, "stop": 1001}, "The series ends at row 1,000."),
    ],
)
def test_what_is_not_there_is_not_found(served: Served, changes: dict[str, Any], message: str) -> None:
    answer = served.get(**changes)
    assert (answer.status_code, answer.json()) == (404, {"error": message})


def test_nothing_is_answered_without_a_token(served: Served) -> None:
    answer = served.get(token="")
    assert (answer.status_code, answer.json()) == (403, {"error": "No token was sent. Reload the page."})


def test_a_token_opens_only_its_own_series_and_runs(served: Served) -> None:
    message = {"error": "The token is for another series or run. Reload the page."}
    for changes in ({"series": "another"}, {"run": "another"}):
        answer = served.get(token=served.token(), **changes)
        assert (answer.status_code, answer.json()) == (403, message)


def test_gzip_is_used_where_it_helps_and_only_there(served: Served) -> None:
    noise = served.get(start=0, stop=ROWS, tracks="c0,c1")
    assert "content-encoding" not in noise.headers
    flat = served.get(start=0, stop=ROWS, tracks="c2")
    assert flat.headers["content-encoding"] == "gzip"
    assert decode(flat.content)[1]["c2.lo"].tolist() == [7.0] * ROWS


@pytest.mark.parametrize("start", [0, 1234])
def test_knots_follow_an_uneven_clock_and_its_gaps(start: int) -> None:
    rng = np.random.default_rng(1)
    steps = rng.integers(900, 1100, size=60_000)
    steps[20_000] = 86_400_000  # a day without rows
    stamps = np.concatenate([[0], np.cumsum(steps)])
    clock = Clock.of(pd.DatetimeIndex(stamps.astype("datetime64[ms]")))
    rows, times = clock.knots(start, 50_000)
    assert len(rows) <= 2000
    assert (rows[0], rows[-1]) == (start, 49_999)
    guessed = np.interp(np.arange(start, 50_000), rows, times)
    # Between knots the clock may err by what a few uneven steps make, never by the day that is missing.
    assert np.abs(guessed - stamps[start:50_000]).max() < 2_000


def test_few_rows_have_a_knot_each() -> None:
    stamps = np.array([3, 4, 10, 11, 11, 30], dtype=np.int64)
    clock = Clock.of(stamps)
    rows, times = clock.knots(1, 6)
    assert clock.kind == "number"
    assert rows.tolist() == [1, 2, 3, 4, 5]
    assert times.tolist() == [4, 10, 11, 11, 30]
