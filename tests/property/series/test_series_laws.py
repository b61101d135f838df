"""Laws of reading, windows, scaling and columns, which hold for any data."""

import codecs
import gzip
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amad.errors import InputError
from amad.series import Columns, Scaler, Series, read, window_starts, window_view
from amad.series.infinite import MINUS, PLUS

sys.path.append(str(Path(__file__).parents[2] / "unit" / "series"))
from workbooks import excel

quiet = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
names = st.lists(st.text("abcdefghijkmoqsuvwxzäöüßé", min_size=1, max_size=8), min_size=2, max_size=5, unique=True)
cells = st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan")))


@quiet
@given(
    data=st.data(),
    names=names,
    style=st.sampled_from([(",", "."), (";", ","), (";", "."), ("\t", ","), ("\t", "."), ("|", ".")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    header=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
)
def test_text_comes_back_as_it_was_written(
    data: st.DataObject,
    names: list[str],
    style: tuple[str, str],
    encoding: str,
    header: bool,
    ending: str,
    packed: bool,
) -> None:
    separator, decimal = style
    rows = data.draw(st.integers(3, 8))
    values = data.draw(arrays(np.float32, (rows, len(names)), elements=cells))
    values[0] = np.arange(len(names)) + 0.5  # the mark of decimals shows, and no column is empty
    lines = [separator.join(names)] if header else []
    for row in values:
        lines.append(separator.join("NA" if np.isnan(v) else f"{float(v)!r}".replace(".", decimal) for v in row))
    content = (ending.join(lines) + ending).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(gzip.compress(content) if packed else content)
        # Headers of letters beyond ASCII may fit several old encodings; naming it is the reader's own way out.
        series = read(path, sentinels=False, encoding="cp1252" if encoding == "cp1252" else None)
    np.testing.assert_array_equal(series.values, values)
    if header:
        assert series.channels == tuple(names)
    assert series.report.source["separator"] == separator
    assert codecs.lookup(series.report.source["encoding"]).name[:5] == codecs.lookup(encoding).name[:5]


@quiet
@given(length=st.integers(1, 60), extra=st.integers(0, 300), stride=st.integers(1, 90))
def test_windows_cover_every_row(length: int, extra: int, stride: int) -> None:
    covered = np.zeros(length + extra, dtype=int)
    starts = window_starts(len(covered), length, stride)
    for start in starts:
        covered[start : start + length] += 1
    assert covered.min() >= 1
    assert starts[-1] == extra
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts) <= stride).all()


@quiet
@given(rows=st.integers(1, 40), channels=st.integers(1, 4), data=st.data())
def test_windows_are_views(rows: int, channels: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, rows))
    values = np.random.default_rng(0).normal(size=(rows, channels)).astype(np.float32)
    view = window_view(values, length)
    assert view.shape == (rows - length + 1, length, channels)
    assert np.shares_memory(view, values)
    for start in range(len(view)):
        np.testing.assert_array_equal(view[start], values[start : start + length])


@quiet
@given(data=st.data(), columns=st.integers(1, 3), rows=st.integers(1, 1500), seed=st.integers(0, 2**32 - 1))
def test_buckets_are_the_literal_extremes(data: st.DataObject, columns: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    values[rng.random(values.shape) < data.draw(st.sampled_from([0, 0.2, 0.95]))] = np.nan
    values[rows // 3 : rows // 2, 0] = np.nan
    for sign in (np.inf, -np.inf):
        values[rng.random(values.shape) < 0.01] = sign
    given, values = values, np.where(np.isinf(values), np.float32(np.nan), values)
    with tempfile.TemporaryDirectory() as folder:
        pieces = np.array_split(given, data.draw(st.integers(1, 5)))
        opened = Columns.write(Path(folder) / "c", [f"c{i}" for i in range(columns)], (piece for piece in pieces), rows)
        opened.check()
        for _ in range(6):
            width = data.draw(st.one_of(st.integers(1, 300), st.sampled_from([16, 32, 64, 256, 512, 4096])))
            start, stop = sorted((data.draw(st.integers(0, rows)), data.draw(st.integers(0, rows))))
            found = opened.buckets(range(columns), start, stop, width)
            lo, hi, missing = opened.reduce(range(columns), start, stop, width)
            grid = range(start // width, -(-stop // width)) if start < stop else range(0)
            assert lo.shape == hi.shape == missing.shape == (columns, len(grid))
            for place, bucket in enumerate(grid):
                part = values[bucket * width : (bucket + 1) * width]
                present = [column[~np.isnan(column)] for column in part.T]
                np.testing.assert_array_equal(lo[:, place], [p.min() if p.size else np.nan for p in present])
                np.testing.assert_array_equal(hi[:, place], [p.max() if p.size else np.nan for p in present])
                np.testing.assert_array_equal(missing[:, place], np.isnan(part).sum(axis=0))
                was = given[bucket * width : (bucket + 1) * width]
                signs = (was == np.inf).any(axis=0) * PLUS + (was == -np.inf).any(axis=0) * MINUS
                np.testing.assert_array_equal(found.infinite[:, place], signs)
                np.testing.assert_array_equal(found.first[:, place], part[0])
                np.testing.assert_array_equal(found.last[:, place], part[-1])
        del opened, found


@quiet
@given(
    train=arrays(np.float32, st.tuples(st.integers(0, 20), st.just(3)), elements=st.floats(width=32)),
    test=arrays(np.float32, st.tuples(st.integers(0, 20), st.just(3)), elements=st.floats(width=32)),
    clip=st.floats(0.1, 100),
)
def test_scaled_values_are_always_finite(train: np.ndarray, test: np.ndarray, clip: float) -> None:
    scaler = Scaler.fit(train, clip=clip)
    scaled = scaler.transform(test)
    assert scaled.dtype == np.float32
    assert np.isfinite(scaled).all()
    assert (np.abs(scaled) <= np.float32(clip)).all()
    assert (scaled[np.isnan(test)] == 0).all()
    assert np.isfinite(scaler.inverse(scaled)).all()


def _whole_files() -> dict[str, bytes]:
    """A small sound file of each kind."""
    values = np.random.default_rng(1).normal(size=(30, 3))
    frame = pd.DataFrame(values, columns=["a", "b", "c"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=30, freq="1min"))
    frame["label"] = (np.arange(30) > 25).astype(int)
    files: dict[str, bytes] = {"csv": frame.to_csv(index=False).encode()}
    files["csv.gz"] = gzip.compress(files["csv"])
    for kind, write in {
        "parquet": frame.to_parquet,
        "feather": lambda stream: feather.write_feather(frame, stream),
        "npy": lambda stream: np.save(stream, values),
        "npz": lambda stream: np.savez_compressed(stream, x=values, label=frame["label"]),
    }.items():
        stream = io.BytesIO()
        write(stream)
        files[kind] = stream.getvalue()
    table = pa.Table.from_pandas(frame)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    files["arrows"] = sink.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        grid: list[list[object]] = [["a", "b"], *([float(row), row * 0.5] for row in range(20))]
        files["xlsx"] = excel(Path(folder) / "x.xlsx", grid).read_bytes()
    return files


KINDS = ("csv", "csv.gz", "parquet", "feather", "arrows", "npy", "npz", "xlsx")


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    return _whole_files()


@pytest.mark.parametrize("kind", KINDS)
def test_sound_files_are_read(kind: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"x.{kind}"
    path.write_bytes(whole[kind])
    assert read(path).rows == (20 if kind == "xlsx" else 30)


@pytest.mark.parametrize("kind", KINDS)
@settings(quiet, max_examples=130, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_an_error_or_a_series(kind: str, whole: dict[str, bytes], data: st.DataObject) -> None:
    content = bytearray(whole[kind])
    how = data.draw(st.sampled_from(["cut", "change", "insert", "drop", "random"]))
    place = data.draw(st.integers(0, len(content) - 1))
    if how == "cut":
        del content[place:]
    elif how == "change":
        for offset in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
            content[offset] = data.draw(st.integers(0, 255))
    elif how == "insert":
        content[place:place] = data.draw(st.binary(min_size=1, max_size=40))
    elif how == "drop":
        del content[place : place + data.draw(st.integers(1, 200))]
    else:
        content = bytearray(data.draw(st.binary(max_size=300)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_bytes(content)
        message, series = "", None
        try:
            series = read(path)
        except InputError as error:
            message = str(error)
        assert message or isinstance(series, Series)
        assert series is None or not np.isinf(series.values).any()
