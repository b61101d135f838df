"""Reading into a folder gives what reading into memory gives, tells how far it is, and can be ended at any block."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amad.errors import InputError, JobError
from amad.series import Series, arrow_files, open_series, read, scratch, source, text, write_series
from amad.series.scratch import Reading, release
from amad.workspace import Workspace

quiet = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a small file takes many of them."""
    monkeypatch.setattr(text, "HEAD_BYTES", 2000)
    monkeypatch.setattr(text, "BLOCK_BYTES", 4000)
    monkeypatch.setattr(scratch, "_SPILL_BYTES", 3000)
    monkeypatch.setattr(source, "_CHUNK", 1500)
    monkeypatch.setattr(arrow_files, "_AT_ONCE", 500)
    monkeypatch.setattr(arrow_files, "_BLOCK_ROWS", 100)


def table(rows: int, channels: int, seed: int, gap: float, mixed: bool, labelled: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, channels)).round(4)
    values[rng.random(values.shape) < gap] = np.nan
    frame = pd.DataFrame(values, columns=[f"c{index}" for index in range(channels)])
    times = pd.date_range("2024-01-01", periods=rows, freq="s")
    frame.insert(0, "time", rng.permutation(times) if mixed else times)
    if labelled:
        frame["label"] = (rng.random(rows) < 0.1).astype(int)
    return frame


def assert_same(found: Series, known: Series) -> None:
    np.testing.assert_array_equal(found.values, known.values)
    assert found.channels == known.channels
    assert (found.time == known.time) if known.time is None else bool((found.time == known.time).all())
    assert (found.labels is None) == (known.labels is None)
    if known.labels is not None:
        np.testing.assert_array_equal(found.labels, known.labels)
    assert found.report == known.report


@quiet
@given(
    rows=st.integers(300, 900),
    channels=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    gap=st.sampled_from([0, 0.1]),
    mixed=st.booleans(),
    labelled=st.booleans(),
    late=st.sampled_from(["", "-9999", "inf", "NA"]),
    packed=st.booleans(),
)
def test_on_disk_as_in_memory(
    rows: int, channels: int, seed: int, gap: float, mixed: bool, labelled: bool, late: str, packed: bool
) -> None:
    frame = table(rows, channels, seed, gap, mixed, labelled).astype({"c0": object})
    frame.loc[rows - 5, "c0"] = late
    told: list[Reading] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / ("x.csv.gz" if packed else "x.csv")
        frame.to_csv(path, index=False)
        (folder / "scratch").mkdir()
        known = read(path)
        found = read(path, scratch=folder / "scratch", on_reading=told.append)
        assert isinstance(found.values, np.memmap)
        assert_same(found, known)
        write_series(folder / "a", found)
        write_series(folder / "b", known)
        assert (folder / "a" / "columns.f32").read_bytes() == (folder / "b" / "columns.f32").read_bytes()
        assert_same(open_series(folder / "a"), open_series(folder / "b"))
        del found
    assert len(told) > 1
    assert [reading.done for reading in told] == sorted(reading.done for reading in told)
    assert told[-1].done == told[-1].total


@pytest.mark.parametrize("kind", ["parquet", "feather", "arrow", "stream"])
@pytest.mark.parametrize("mixed", [False, True])
def test_arrow_files_on_disk_as_in_memory(kind: str, mixed: bool, tmp_path: Path) -> None:
    frame = table(2000, 4, 3, 0.1, mixed, True)
    frame["whole"] = np.arange(2000) % 7
    frame["flag"] = np.arange(2000) % 2 == 0
    frame["word"] = ["wet", "dry"] * 1000
    path = tmp_path / f"x.{kind}"
    write_table(frame, path, kind)
    told: list[Reading] = []
    (tmp_path / "scratch").mkdir()
    known = read(path)
    found = read(path, scratch=tmp_path / "scratch", on_reading=told.append)
    assert isinstance(found.values, np.memmap)
    assert not list((tmp_path / "scratch").glob("column_*.f32"))  # their disk is given back
    assert_same(found, known)
    assert len(told) > 1
    assert [reading.done for reading in told] == sorted(reading.done for reading in told)
    assert told[-1].total >= told[-1].done > 0


def write_table(frame: pd.DataFrame, path: Path, kind: str) -> None:
    """A file of several row groups or batches."""
    import pyarrow as pa
    import pyarrow.feather as feather

    if kind == "parquet":
        frame.to_parquet(path, row_group_size=300)
    elif kind == "feather":
        feather.write_feather(frame, path, chunksize=300)
    else:
        content = pa.Table.from_pandas(frame, preserve_index=False)
        make = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with make(path, content.schema) as writer:
            writer.write_table(content, max_chunksize=300)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_damaged_arrow_file_is_told_where_it_is_read_in_blocks(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{kind}"
    write_table(table(2000, 4, 3, 0, False, False), path, kind)
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"x.{kind}: the .* file is damaged or cut off"):
        read(path, scratch=tmp_path)


@quiet
@given(
    sizes=st.lists(st.integers(1, 400), min_size=2, max_size=4),
    kinds=st.lists(st.sampled_from(["csv", "csv.gz", "parquet", "feather"]), min_size=4, max_size=4),
    channels=st.integers(2, 4),
    seed=st.integers(0, 2**32 - 1),
    timed=st.booleans(),
    labelled=st.booleans(),
    backwards=st.booleans(),
)
def test_several_files_on_disk_as_in_memory(
    sizes: list[int], kinds: list[str], channels: int, seed: int, timed: bool, labelled: bool, backwards: bool
) -> None:
    whole = table(sum(sizes), channels, seed, 0.1, False, labelled)
    if not timed:
        whole = whole.drop(columns="time")
    told: list[Reading] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths, begin = [], 0
        for number, size in enumerate(sizes):
            piece = whole.iloc[begin : begin + size].reset_index(drop=True)
            begin += size
            path = folder / f"x{len(sizes) - number if backwards else number}.{kinds[number]}"
            if number % 2:  # the same columns in another order
                piece = piece[piece.columns[::-1]]
            if path.suffix == ".parquet":
                write_table(piece, path, "parquet")
            elif path.suffix == ".feather":
                write_table(piece, path, "feather")
            else:
                piece.to_csv(path, index=False)
            paths.append(path)
        (folder / "scratch").mkdir()
        known = read(paths)
        found = read(paths, scratch=folder / "scratch", on_reading=told.append)
        assert isinstance(found.values, np.memmap)
        assert_same(found, known)
        assert [path.name for path in (folder / "scratch").rglob("*.f32")] == ["values.f32"]
        total = sum(path.stat().st_size for path in paths)
        assert {reading.total for reading in told} == {total}
        assert [reading.done for reading in told] == sorted(reading.done for reading in told)
        assert told[-1].done == total
        del found


def test_several_files_say_how_far_they_are(tmp_path: Path) -> None:
    paths = [tmp_path / f"x{number}.csv" for number in range(3)]
    for number, path in enumerate(paths):
        table(300, 2, number, 0, False, False).drop(columns="time").to_csv(path, index=False)
    told: list[Reading] = []
    store = Workspace.open(tmp_path / "ws")
    record = store.add_file(paths, on_reading=told.append)
    store.close()
    assert (record.rows, record.source) == (900, "x0.csv, x1.csv, x2.csv")
    reading, storing = ([one for one in told if one.stage == stage] for stage in ("reading", "storing"))
    assert told == reading + storing
    assert reading[-1].done == reading[-1].total == sum(path.stat().st_size for path in paths)
    assert [(one.done, one.total) for one in storing] == [(0, 900), (900, 900)]


def test_what_is_raised_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    table(2000, 3, 0, 0, False, False).to_csv(path, index=False)
    seen: list[Reading] = []

    def stop(reading: Reading) -> None:
        seen.append(reading)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(path, scratch=tmp_path, on_reading=stop)
    assert len(seen) == 3


def test_nothing_stays_in_the_workspace_of_a_reading_that_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    table(2000, 3, 0, 0, False, False).to_csv(path, index=False)
    store = Workspace.open(tmp_path / "ws")

    def stop(_reading: Reading) -> None:
        raise JobError("Ended.")

    try:
        with pytest.raises(JobError, match="Ended"):
            store.add_file(path, on_reading=stop)
        assert store.series() == []
        assert list((tmp_path / "ws" / "tmp").iterdir()) == list((tmp_path / "ws" / "series").iterdir()) == []
        record = store.add_file(path)
        assert (record.name, record.rows, record.source) == ("x", 2000, "x.csv")
        assert store.add_file(path, reuse=True) == record
        assert list((tmp_path / "ws" / "tmp").iterdir()) == []
        np.testing.assert_array_equal(store.open_series(record.id).values, read(path).values)
    finally:
        store.close()


def test_cells_of_another_kind_far_down_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    frame = table(1000, 2, 1, 0, False, False).astype({"c1": object})
    frame.loc[990, "c1"] = "1,234.5"
    frame.to_csv(path, index=False)
    found = read(path, scratch=tmp_path)
    assert found.values[990, 1] == 1234.5
    assert_same(found, read(path))


def test_releasing_loses_nothing(tmp_path: Path) -> None:
    values = scratch.Scratch(tmp_path).values(3, 10_000)
    values[:] = np.arange(30_000).reshape(3, -1)
    release(values[:2].T)
    assert (values == np.arange(30_000).reshape(3, -1)).all()
    private = np.memmap(os.fspath(tmp_path / "values.f32"), np.float32, "c", shape=(30_000,))
    private[:] = 7
    release(private)
    assert (private == 7).all()
    plain = np.ones(5)
    release(plain)
    assert (plain == 1).all()
