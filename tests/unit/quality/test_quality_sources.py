"""Every layout of labelled data is recognised and read right; long parts are cut by the written rule."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from benchmarks.quality import sources
from benchmarks.quality.entities import HALVES, TOGETHER, divide, half, listed, sized
from benchmarks.quality.sources import Cut, ParquetEntity, find, stretch
from benchmarks.quality.tsbad import vus_window


def values(rows, channels=3, seed=0):
    return np.random.default_rng(seed).random((rows, channels)).astype(np.float32).round(4)


def test_a_folder_of_parquet_files_gives_what_is_ranked(data):
    found = find(data)
    assert list(found) == ["ASD/one", "B/two"]
    loaded = found["ASD/one"].load()
    assert loaded.train.shape == loaded.test.shape == (200, 2)
    assert np.flatnonzero(loaded.labels).tolist() == list(range(100, 121))
    assert loaded.causes == ((100, 121, (0,)),)  # ASD writes the last row of an event, SMD the row after it
    assert list(find(data / "B")) == ["B/two"]


def test_smd_text_files(tmp_path):
    parts = {"train": values(30), "test": values(20, seed=1)}
    for part, table in parts.items():
        (tmp_path / part).mkdir()
        np.savetxt(tmp_path / part / "machine-1-1.txt", table, fmt="%.4f", delimiter=",")
    for folder in ("test_label", "interpretation_label"):
        (tmp_path / folder).mkdir()
    labels = np.zeros(20, int)
    labels[4:9] = 1
    np.savetxt(tmp_path / "test_label" / "machine-1-1.txt", labels, fmt="%d")
    (tmp_path / "interpretation_label" / "machine-1-1.txt").write_text("4-9:1,3\n")
    loaded = find(tmp_path)["SMD/machine-1-1"].load()
    np.testing.assert_array_equal(loaded.train, parts["train"])
    np.testing.assert_array_equal(loaded.test, parts["test"])
    assert loaded.labels.tolist() == labels.tolist()
    assert loaded.causes == ((4, 9, (0, 2)),)


def test_msl_and_smap_arrays(tmp_path):
    for part, rows in (("train", 12), ("test", 10)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for channel in ("P-2", "M-1"):
            np.save(tmp_path / "data" / part / f"{channel}.npy", values(rows).astype(np.float64))
    rows = [
        ("P-2", "SMAP", "[[2, 4]]"),
        ("M-1", "MSL", "[[0, 0], [8, 9]]"),
        ("P-2", "SMAP", "[[3, 6]]"),
        ("T-9", "MSL", "[[1, 2]]"),
    ]
    pd.DataFrame(rows, columns=["chan_id", "spacecraft", "anomaly_sequences"]).to_csv(
        tmp_path / "labeled_anomalies.csv", index=False
    )
    for folder in (tmp_path, tmp_path / "data"):
        found = find(folder)
        assert list(found) == ["MSL/M-1", "SMAP/P-2"]
        assert np.flatnonzero(found["MSL/M-1"].load().labels).tolist() == [0, 8, 9]
        assert np.flatnonzero(found["SMAP/P-2"].load().labels).tolist() == [2, 3, 4, 5, 6]
    np.testing.assert_array_equal(found["SMAP/P-2"].load().train, values(12))


def test_psm_and_swat_tables(tmp_path):
    psm, swat = tmp_path / "PSM", tmp_path / "SWaT"
    for folder in (psm, swat):
        folder.mkdir()
    names = ["feature_0", "feature_1", "feature_2"]
    for part, rows in (("train", 8), ("test", 6)):
        frame = pd.DataFrame(values(rows), columns=names)
        frame.insert(0, "timestamp_(min)", np.arange(rows, dtype=float))
        frame.to_csv(psm / f"{part}.csv", index=False)
    pd.DataFrame({"timestamp_(min)": range(6), "label": [0, 0, 1, 1, 0, 0]}).to_csv(psm / "test_label.csv", index=False)
    for file, marks, first in (
        ("SWaT_Dataset_Normal_v1.csv", ["Normal"] * 8, ",P1,P1,P1,\n"),
        ("SWaT_Dataset_Attack_v0.csv", ["Normal", "Attack", "A ttack", "Normal", "Normal", "Normal"], ""),
    ):
        frame = pd.DataFrame(values(len(marks)), columns=[" FIT101", "LIT101", "MV101"])
        frame.insert(0, " Timestamp", [f"22/12/2015 4:30:{second:02d} PM" for second in range(len(marks))])
        frame["Normal/Attack"] = marks
        (swat / file).write_text(first + frame.to_csv(index=False))
    found = find(tmp_path)
    assert list(found) == ["PSM/psm", "SWaT/swat"]
    loaded = found["PSM/psm"].load()
    np.testing.assert_array_equal(loaded.train, values(8))
    assert loaded.labels.tolist() == [0, 0, 1, 1, 0, 0]
    loaded = found["SWaT/swat"].load()
    assert loaded.train.shape == (8, 3)
    np.testing.assert_array_equal(loaded.test, values(6))
    assert loaded.labels.tolist() == [0, 1, 1, 0, 0, 0]


def test_files_of_the_tsb_ad_m_format_made_from_other_data(data, tmp_path):
    """As that benchmark does it: learn on the first N rows, score the whole file, VUS window from the first channel."""
    other = ParquetEntity(data / "B" / "two").load()
    whole = np.concatenate((other.train, other.test))
    frame = pd.DataFrame(whole, columns=["x", "y"])
    frame["Label"] = np.concatenate((np.zeros(200, int), other.labels))
    name = "007_B_id_3_Web Server_tr_200_1st_300"
    frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    found = find(tmp_path)
    assert list(found) == [f"B/{name}"]
    loaded = found[f"B/{name}"].load()
    np.testing.assert_allclose(loaded.train, other.train, rtol=1e-6)
    np.testing.assert_allclose(loaded.test, whole, rtol=1e-6)
    assert np.flatnonzero(loaded.labels).tolist() == list(range(300, 321))
    assert loaded.window == vus_window(whole[:, 0])
    assert loaded.window in (18, 19)  # the rhythm of the first channel is 2 pi 3 rows
    frame.rename(columns={"Label": "label"}).to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(InputError, match=r'the last column is "label", not "Label"'):
        found[f"B/{name}"].load()


def literal_window(series):
    """TSB-AD 1.5, utils/slidingWindows.py, find_length_rank with rank=1, written out."""
    data = series[: min(20000, len(series))].astype(float)
    centred = data - data.mean()
    size = len(data)
    total = sum(value * value for value in centred)
    if total == 0:
        return 125
    correlation = [float(centred[: size - lag] @ centred[lag:]) / total for lag in range(min(400, size - 1) + 1)][3:]
    peaks = [i for i in range(1, len(correlation) - 1) if correlation[i - 1] < correlation[i] > correlation[i + 1]]
    if not peaks:
        return 125
    best = max(peaks, key=lambda i: correlation[i])
    return 125 if best < 3 or best > 300 else best + 3


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), rows=st.integers(5, 900), period=st.floats(2, 500), noise=st.floats(0.01, 2))
def test_the_window_of_vus_is_that_of_tsb_ad(seed, rows, period, noise):
    rng = np.random.default_rng(seed)
    series = np.sin(np.arange(rows) * 2 * math.pi / period) + rng.normal(0, noise, rows)
    assert vus_window(series) == literal_window(series)


def test_a_constant_series_has_the_usual_window():
    assert vus_window(np.full(50, 3.0)) == 125


@settings(deadline=None)
@given(edges=st.lists(st.integers(1, 40), min_size=1, max_size=60), first=st.booleans())
def test_a_cut_keeps_whole_events(edges, first):
    """Runs of labels of any length: the stretch begins and ends outside of events and holds the most whole ones."""
    labels = np.concatenate([np.full(length, (index + first) % 2) for index, length in enumerate(edges)]).astype(
        np.int8
    )
    rows, sources.STEP = 100, 10
    try:
        start, stop = stretch(labels, rows)
    finally:
        sources.STEP = 1000
    assert 0 <= start <= stop <= len(labels)
    assert stop - start <= rows or len(labels) <= rows
    if len(labels) > rows:
        edge = np.diff(labels, prepend=0, append=0)
        events = list(zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True))

        def whole(first_row, end):
            return sum(first_row <= begin and last <= end for begin, last in events)

        every = [*range(0, len(labels) - rows, 10), len(labels) - rows]
        assert whole(start, stop) == max(whole(a, a + rows) for a in every)
        if 0 < start < stop:
            assert not (labels[start - 1] and labels[start])
        if start < stop < len(labels):
            assert not (labels[stop - 1] and labels[stop])


def test_a_cut_moves_the_events_with_published_channels(data, monkeypatch):
    monkeypatch.setattr(sources, "TEST_ROWS", 60)
    monkeypatch.setattr(sources, "TRAIN_ROWS", 150)
    monkeypatch.setattr(sources, "STEP", 10)
    cut = Cut(ParquetEntity(data / "ASD" / "one")).load()
    assert (len(cut.train), len(cut.test)) == (150, 60)
    ((start, stop, channels),) = cut.causes
    assert channels == (0,)
    assert np.flatnonzero(cut.labels).tolist() == list(range(start, stop))


def test_the_division_is_the_one_that_the_seed_gives():
    stored = listed()
    assert divide([*stored["tuning"], *stored["confirming"]]) == stored
    assert not set(stored["tuning"]) & set(stored["confirming"])
    assert set(stored["core"]) <= {*stored["tuning"], *stored["confirming"]}
    assert 20 <= len(stored["core"]) <= 28
    for dataset in {name.split("/")[0] for name in stored["core"]}:
        counts = [sum(name.startswith(f"{dataset}/") for name in stored[part]) for part in HALVES]
        assert abs(counts[0] - counts[1]) <= 1, dataset
    for group in TOGETHER:
        assert len({half(name) for name in group}) == 1


def test_entities_that_are_not_listed_have_a_half_too(data):
    assert {half(f"new/{index}") for index in range(30)} == set(HALVES)
    assert half("new/1") == half("new/1")
    assert all(isinstance(entity, Cut) for entity in sized(find(data), "core").values())
    assert list(sized(find(data), "full").values()) == list(find(data).values())


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("0-3:1,9", ": the event 0-3 names channel 9 of 2."),
        ("0-3:", ', line 2: "0-3:" is not of the form start-end:channel,channel.'),
        ("3:1", ', line 2: "3:1" is not of the form start-end:channel,channel.'),
    ],
)
def test_a_wrong_interpretation_list_is_named_with_its_event(tmp_path, file, message):
    path = tmp_path / "interpretation_label.txt"
    path.write_text(f"0-1:1\n{file}\n")
    with pytest.raises(InputError) as error:
        sources.read_causes(path, 2)
    assert str(error.value) == f"{path}{message}"


def test_what_is_not_recognised_is_said(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match="holds no series that are recognised"):
        find(tmp_path)


def test_the_bundled_entities_are_small_licensed_and_of_both_halves():
    found = find(sources.BUNDLED)
    assert len(found) == 8
    assert [half(name) for name in found].count("tuning") == 4
    assert set(found) <= set(listed()["core"])
    files = [path for path in sources.BUNDLED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 10_000_000
    said = (sources.BUNDLED / "README.md").read_text(encoding="utf-8")
    for name, entity in found.items():
        assert name.split("/")[1] in said
        loaded = entity.load()
        assert loaded.train.shape[1] == loaded.test.shape[1]
        assert 0 < loaded.labels.mean() < 0.3
        assert bool(loaded.causes) == (name.split("/")[0] in ("SMD", "ASD"))
        for start, stop, _ in loaded.causes:
            assert loaded.labels[start:stop].mean() > 0.9
    for path in (sources.BUNDLED / "LICENSES").iterdir():
        assert f"LICENSES/{path.name}" in said
