"""Windows, scaling, preparing, and columns on disk."""

import json
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series import (
    Columns,
    Finding,
    Report,
    Scaler,
    Series,
    Span,
    open_series,
    parse_part,
    prepare,
    read,
    window_starts,
    window_view,
    write_series,
)
from amad.series.infinite import MINUS, PLUS, signs


def some(rows: int = 10, channels: int = 2) -> Series:
    values = np.arange(rows * channels, dtype=np.float32).reshape(rows, channels)
    return Series(
        "pump",
        values,
        tuple(f"c{index}" for index in range(channels)),
        pd.date_range("2024-01-01", periods=rows, freq="1min").as_unit("us"),
        (np.arange(rows) == 3).astype(np.int8),
        Report(rows, "1 min", (Finding("gaps", "1 gap.", 1, (), (4,), "Kept.", ("Fill",)),), {"separator": ","}),
        "time",
        "label",
        {"changepoint": np.zeros(rows, np.int8)},
        (Span(3, 4, ("c1",), "spike"),),
    )


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("0:0.6", (0, 60)),
        (":", (0, 100)),
        ("10:20", (10, 20)),
        ("-0.25:", (75, 100)),
        ("0.5:-10", (50, 90)),
        ("0:900", (0, 100)),
        ("1.0:", None),
        ("5", None),
        ("a:b", None),
        ("0:1.5", None),
        ("7:7", None),
    ],
)
def test_parts(spec: str, part: tuple[int, int] | None) -> None:
    if part is None:
        with pytest.raises(InputError, match="Part "):
            parse_part(spec, 100)
    else:
        assert parse_part(spec, 100) == part


def test_a_series_shorter_than_a_window_names_both() -> None:
    message = "The series has 5 rows, a window needs 8. Give a longer series or a shorter window."
    with pytest.raises(InputError) as caught:
        window_starts(5, 8, 1)
    assert str(caught.value) == message
    with pytest.raises(InputError) as caught:
        window_view(np.zeros((5, 1), np.float32), 8)
    assert str(caught.value) == message


def test_channels_are_taken_by_name() -> None:
    assert some().take(["c1"]).values[:, 0].tolist() == list(range(1, 20, 2))
    with pytest.raises(InputError) as caught:
        some().take(["c1", "flow"])
    assert str(caught.value) == "Series 'pump' has no channel 'flow'. Its channels: c0, c1."
    cut = some().slice(2, 6)
    assert (cut.rows, cut.spans) == (4, (Span(1, 2, ("c1",), "spike"),))


def test_report_and_series_survive_the_disk(tmp_path: Path) -> None:
    series = some()
    write_series(tmp_path / "s", series)
    opened = open_series(tmp_path / "s")
    np.testing.assert_array_equal(opened.values, series.values)
    assert isinstance(opened.values.base, np.memmap) or isinstance(opened.values, np.memmap)
    assert opened.time.equals(series.time)  # type: ignore[union-attr]
    assert opened.labels is not None
    assert opened.labels.tolist() == series.labels.tolist()  # type: ignore[union-attr]
    assert opened.report == series.report
    assert (opened.time_name, opened.label_name, opened.spans) == ("time", "label", series.spans)
    assert list(opened.other_labels) == ["changepoint"]
    assert Report.from_json(json.dumps(series.report.to_json())) == series.report


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", None])
def test_zones_and_nanoseconds_survive_the_disk(tmp_path: Path, zone: str | None) -> None:
    time = pd.date_range("2024-03-31 00:00:00.000000001", periods=10, freq="1h", tz=zone, unit="ns")
    series = Series("s", np.zeros((10, 1), np.float32), ("a",), time)
    write_series(tmp_path / "s", series)
    assert open_series(tmp_path / "s").time.equals(time)  # type: ignore[union-attr]


def test_writing_again_replaces_the_folder_as_a_whole(tmp_path: Path) -> None:
    write_series(tmp_path / "s", some(10))
    write_series(tmp_path / "s", some(20))
    assert open_series(tmp_path / "s").rows == 20
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_failed_write_leaves_the_old_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "s", some(10))
    with pytest.raises(InputError, match="3 rows came, 4 were announced"):
        Columns.write(tmp_path / "s", ["a"], iter([np.zeros((3, 1), np.float32)]), 4)
    assert open_series(tmp_path / "s").rows == 10
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_damage_is_found(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5000, 2)).astype(np.float32)
    columns = Columns.write(tmp_path / "c", ["a", "b"], values)
    before = columns.reduce([0, 1], 0, 5000, 256)
    (tmp_path / "c" / "pyramid_16.bin").unlink()
    level = tmp_path / "c" / "pyramid_256.bin"
    level.write_bytes(bytes(len(level.read_bytes())))
    for one, other in zip(before, Columns.open(tmp_path / "c").reduce([0, 1], 0, 5000, 256), strict=True):
        np.testing.assert_array_equal(one, other)
    data = bytearray((tmp_path / "c" / "columns.f32").read_bytes())
    data[-1] ^= 1
    (tmp_path / "c" / "columns.f32").write_bytes(data)
    with pytest.raises(InputError, match="column 'b': the values do not match their checksum"):
        Columns.open(tmp_path / "c").check()
    (tmp_path / "c" / "columns.f32").write_bytes(data[:-4])
    with pytest.raises(InputError, match="39,996 bytes, but 2 columns of 5,000 rows take 40,000"):
        Columns.open(tmp_path / "c")
    (tmp_path / "c" / "meta.json").write_text("{")
    with pytest.raises(InputError, match=r"meta\.json: cannot be read"):
        Columns.open(tmp_path / "c")
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        Columns.open(tmp_path / "none")


def large(folder: Path) -> tuple[Columns, NDArray[np.float32]]:
    """Columns whose finest level has three pieces of checksums."""
    values = np.random.default_rng(1).normal(size=(150_000, 2)).astype(np.float32)
    values[[70_001, 140_000], 1] = np.inf, -np.inf
    return Columns.write(folder, ["a", "b"], values), values


@pytest.mark.parametrize("wide", [16, 512])
def test_a_damaged_piece_of_the_pyramid_is_mended_when_it_is_looked_at(tmp_path: Path, wide: int) -> None:
    columns, _ = large(tmp_path / "c")
    before = columns.buckets([0, 1], 0, 150_000, wide)
    level = tmp_path / "c" / f"pyramid_{16 if wide == 16 else 256}.bin"
    sound = level.read_bytes()
    level.write_bytes(sound[:1000] + bytes(64) + sound[1064:-9] + b"x" + sound[-8:])
    opened = Columns.open(tmp_path / "c")
    for name in ("lo", "hi", "first", "last", "missing", "infinite"):
        np.testing.assert_array_equal(
            getattr(opened.buckets([0, 1], 0, 150_000, wide), name), getattr(before, name), err_msg=name
        )
    assert level.read_bytes() == sound


def test_odd_widths_look_at_pieces_too(tmp_path: Path) -> None:
    columns, values = large(tmp_path / "c")
    level = tmp_path / "c" / "pyramid_16.bin"
    level.write_bytes(bytes(len(level.read_bytes())))
    lo, hi, missing = Columns.open(tmp_path / "c").reduce([1], 3_000, 150_000, 1000)
    before = columns.reduce([1], 3_000, 150_000, 1000)
    for one, other in zip((lo, hi, missing), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert lo[0, 0] == values[3000:4000, 1].min()


@pytest.mark.parametrize("change", ["gone", "damaged", "of an earlier version", "damaged, of an earlier version"])
def test_checksums_that_are_missing_are_made_again(tmp_path: Path, change: str) -> None:
    columns, _ = large(tmp_path / "c")
    before = columns.reduce([0, 1], 0, 150_000, 16)
    level, sums = tmp_path / "c" / "pyramid_16.bin", tmp_path / "c" / "pyramid_16.crc"
    kept = sums.read_bytes()
    if "version" in change:  # a checksum of the whole level, none of its pieces
        about = json.loads((tmp_path / "c" / "meta.json").read_text())
        about["pyramid"]["16"] = zlib.crc32(level.read_bytes())
        (tmp_path / "c" / "meta.json").write_text(json.dumps(about))
    if "damaged" in change and "version" in change:
        level.write_bytes(bytes(len(level.read_bytes())))
    if change == "damaged":
        sums.write_bytes(kept[:5] + b"x" + kept[6:])
    else:
        sums.unlink()
    for one, other in zip(before, Columns.open(tmp_path / "c").reduce([0, 1], 0, 150_000, 16), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sums.read_bytes() == kept


def test_infinities_keep_their_sign_through_file_sort_and_disk(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,a,b\n2026-01-02,-inf,1\n2026-01-03,2,1e60\n2026-01-01,,3\n")
    series = read(file)
    opened = open_series(write_series(tmp_path / "s", series).folder)
    for values in (series.values, opened.values, opened.slice(0, 3).take(["a", "b"]).values):
        assert signs(values, np.isnan(values)).tolist() == [[0, 0], [MINUS, 0], [0, PLUS]]
        assert np.isnan(values).tolist() == [[True, False], [True, False], [False, True]]


def test_a_channel_constant_in_training_comes_out_large_and_clipped() -> None:
    rng = np.random.default_rng(0)
    train = np.stack([np.zeros(500), np.full(500, 5.0), np.full(500, np.nan), rng.normal(0, 0.05, 500)], axis=1)
    scaler = Scaler.fit(train.astype(np.float32), clip=10.0)
    test = np.float32([[0.1, 5.0, 3.0, 0.0], [0.0, 5.5, np.nan, np.nan]])
    scaled = scaler.transform(test)
    assert scaled[0, 0] == 10
    assert scaled[0, 1] == 0
    assert scaled[1, 1] == 10
    assert scaled[1, 2] == scaled[1, 3] == 0
    assert np.isfinite(scaled).all()


def test_scaler_is_mean_and_deviation_and_survives_json() -> None:
    values = np.random.default_rng(1).normal(3e4, [1.0, 50.0], size=(70_000, 2)).astype(np.float32)
    values[::7, 0] = np.nan
    scaler = Scaler.fit(values, clip=8.0)
    exact = values.astype(np.float64)
    np.testing.assert_allclose(scaler.centre, np.nanmean(exact, axis=0), rtol=1e-9)
    assert scaler.scale[1] == pytest.approx(np.nanstd(exact[:, 1]), rel=1e-7)
    again = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))
    np.testing.assert_array_equal(again.transform(values), scaler.transform(values))
    inside = np.abs(scaler.transform(values)[:, 1]) < 8
    np.testing.assert_allclose(scaler.inverse(scaler.transform(values))[inside, 1], values[inside, 1], rtol=1e-5)
    with pytest.raises(InputError, match="damaged"):
        Scaler.from_json({"centre": [1.0], "scale": [0.0], "clip": 3})


def test_filling() -> None:
    gaps = np.float32([[np.nan, 1, np.nan, np.nan, 4, np.nan], [np.nan] * 6]).T
    series = Series("s", gaps, ("a", "b"))
    assert prepare(series).values[:, 0].tolist() == [1, 1, 2, 3, 4, 4]
    assert prepare(series, fill="forward").values[:, 0].tolist() == [1, 1, 1, 1, 4, 4]
    assert np.isnan(prepare(series).values[:, 1]).all()
    assert prepare(series, fill="none").values is series.values
    assert prepare(series, channels=["b"]).channels == ("b",)
    assert np.isnan(gaps[0, 0])  # the series itself is left alone


def test_resampling_leaves_gaps_missing() -> None:
    seconds = [0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23]
    time = pd.DatetimeIndex(np.datetime64("2024-01-01T00:00:00") + np.array(seconds).astype("m8[s]"))
    labels = np.array([0] * 8 + [1, 0, 0, 0], dtype=np.int8)
    series = Series("s", np.float32(seconds)[:, None], ("a",), time, labels)
    same = prepare(series, resample="1 s")
    assert same.rows == 24
    assert np.flatnonzero(np.isnan(same.values[:, 0])).tolist() == list(range(8, 20))
    coarse = prepare(series, resample="2s")
    assert coarse.values[:4, 0].tolist() == [0.5, 2.5, 4.5, 6.5]
    assert coarse.labels is not None
    assert np.flatnonzero(coarse.labels).tolist() == [10]
    fine = prepare(series.slice(0, 3), resample="500 ms")
    assert fine.values[:, 0].tolist() == [0, 0.5, 1, 1.5, 2]
    assert fine.report.median_step == "500 ms"
    for step in ("0 s", "soon", "1 fortnight", ""):
        with pytest.raises(InputError, match="not a step of time"):
            prepare(series, resample=step)
    with pytest.raises(InputError, match="Give a longer step"):
        prepare(series, resample="1 ns")
    with pytest.raises(InputError, match="has no time"):
        prepare(Series("s", np.zeros((3, 1), np.float32), ("a",)), resample="1 s")


def uneven(folder: Path) -> Series:
    """A file with times that go back once, one that stands twice, and gaps; read with a channel that never changes."""
    rows = np.arange(900)
    seconds = np.cumsum(np.where(rows % 3 == 0, 100 + rows % 97, 40))
    seconds[500] -= 4000
    seconds[700] = seconds[699]
    stamps = np.datetime64("2026-03-02T00:00:00") + seconds.astype("m8[s]")
    file = folder / "pump.csv"
    file.write_text("time,flow,still\n" + "".join(f"{stamp},{row % 7 + 0.5},3\n" for row, stamp in enumerate(stamps)))
    return read(file)


def kinds(series: Series) -> list[str]:
    return [finding.kind for finding in series.report.findings]


def test_a_resampled_series_has_a_report_of_its_own(tmp_path: Path) -> None:
    series = uneven(tmp_path)
    assert {"unsorted", "duplicate_times", "gaps", "constant"} <= set(kinds(series))
    made = prepare(series, resample="5 min")
    assert kinds(made) == ["resampled", "constant"]
    assert (made.report.rows, made.report.median_step) == (made.rows, "5 min")
    assert made.report.findings[0].message == f"{series.rows} rows became {made.rows} steps of 5 min."
    assert made.report.source == series.report.source


def test_a_prepared_series_tells_of_the_channels_and_cells_that_it_has(tmp_path: Path) -> None:
    series = uneven(tmp_path)
    assert kinds(prepare(series, channels=["flow"], resample="5 min")) == ["resampled"]
    values = np.array(series.values)
    values[5, 0] = np.nan
    holed = Series("pump", values, series.channels, series.time, report=series.report)
    assert prepare(holed, fill="none").report.of("missing").rows == (5,)  # type: ignore[union-attr]
    assert prepare(holed).report.of("missing") is None


def test_rows_that_are_kept_keep_what_their_times_are_like(tmp_path: Path) -> None:
    uneven(tmp_path)
    made = prepare(read(tmp_path / "pump.csv", sort=False), channels=["flow"])
    found = made.report.of("unsorted")
    assert found is not None
    assert (found.count, found.rows, found.action) == (1, (500,), "Rows were left in the order of the file.")
    assert made.report.of("gaps").rows[0] == 3  # type: ignore[union-attr]


def test_an_earlier_resampling_is_told_without_its_rows(tmp_path: Path) -> None:
    time = pd.DatetimeIndex(np.datetime64("2026-03-02") + np.r_[:50, 90:140].astype("m8[s]"))
    series = Series("s", np.arange(100, dtype=np.float32)[:, None], ("a",), time)
    first = prepare(series, resample="1 s")
    assert first.report.findings[0].message == "100 rows became 140 steps of 1 s; 40 of them in gaps, left missing."
    assert first.report.findings[0].rows == (50, 51, 52, 53, 54)
    again = prepare(first, resample="10 s")
    told = [finding for finding in again.report.findings if finding.kind == "resampled"]
    assert [finding.message for finding in told] == [
        "100 rows became 140 steps of 1 s; 40 of them in gaps, left missing.",
        "140 rows became 14 steps of 10 s.",
    ]
    assert told[0].rows == told[0].alternatives == ()


def test_a_series_without_rows_is_prepared_too() -> None:
    empty = Series("s", np.zeros((0, 1), np.float32), ("a",), pd.DatetimeIndex([]))
    assert prepare(empty, resample="1 s").report == Report(0)
