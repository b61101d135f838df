"""Facts of real files, where a folder with them stands beside the checkout (otherwise nothing is collected)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amad.series import read

DATA = Path(__file__).parents[3].parent / "shared" / "data"
RAW = DATA / "raw"

# files: rows, channels, first and last time, labelled rows
FACTS: dict[str, tuple[int, int, str | None, str | None, int | None]] = {
    "3w_WELL-00011_20140916060300.csv": (5614, 8, "2014-09-16 06:03:00", "2014-09-16 07:36:33", 1940),
    "jumpstarter_service1_noheader.csv+jumpstarter_service1_label.csv": (7200, 19, None, None, 183),
    "jumpstarter_service1_noheader.csv": (7200, 19, None, None, None),
    "lro_TonyGrove2014.csv": (20674, 18, "2014-05-30 14:30:00", "2014-12-31 23:45:00", None),
    "mba_test.xlsx": (7680, 2, "0", "7679", None),
    "mba_test.xlsx+mba_labels.xlsx": (7680, 2, "0", "7679", 2824),
    "nab_machine_temperature_system_failure.csv": (22695, 1, "2013-12-02 21:15:00", "2014-02-19 15:25:00", None),
    "nab_machine_temperature_system_failure.csv+nab_machine_temperature_windows.json": (
        22695, 1, "2013-12-02 21:15:00", "2014-02-19 15:25:00", 2268,
    ),
    "occupancy_datatest.txt": (2665, 5, "2015-02-02 14:19:00", "2015-02-04 10:43:00", 972),
    "psm_excerpt_train.csv": (399, 25, "0", "398", None),
    "psm_excerpt_test.csv": (300, 25, "132480", "188778", None),
    "psm_excerpt_test.csv+psm_excerpt_test_label.csv": (300, 25, "132480", "188778", 104),
    "skab_anomaly-free.csv": (9405, 8, "2020-02-08 13:30:47", "2020-02-08 16:16:47", None),
    "skab_other_11.csv": (1190, 8, "2020-02-08 18:10:42", "2020-02-08 18:31:36", 451),
    "skab_valve1_0.csv": (1147, 8, "2020-03-09 10:14:33", "2020-03-09 10:34:32", 401),
    "smap_P-1_train.npy": (2872, 25, None, None, None),
    "smap_P-1_test.npy": (8505, 25, None, None, None),
}  # fmt: skip


def pytest_generate_tests(metafunc: Any) -> None:
    """One test a file that is there."""
    if "raw" in metafunc.fixturenames:
        metafunc.parametrize("raw", [key for key in FACTS if all((RAW / name).is_file() for name in key.split("+"))])
    if "entity" in metafunc.fixturenames:
        folders = sorted(path.parent for path in DATA.glob("*/*/train.parquet")) if DATA.is_dir() else []
        metafunc.parametrize("entity", folders, ids=lambda folder: f"{folder.parent.name}-{folder.name}")


def test_raw_file_is_read_right_without_an_option(raw: str) -> None:
    series = read([RAW / name for name in raw.split("+")])
    rows, channels, first, last, labelled = FACTS[raw]
    assert series.values.shape == (rows, channels)
    assert (series.time is None) == (first is None)
    if series.time is not None:
        assert (str(series.time[0]), str(series.time[-1])) == (first, last)
    assert (None if series.labels is None else int(series.labels.sum())) == labelled


def test_converted_files_are_read_as_they_are(entity: Path) -> None:
    for path in (entity / "train.parquet", entity / "test.parquet"):
        if not path.is_file():
            continue
        frame = pd.read_parquet(path)
        channels = [name for name in frame if name not in ("timestamp", "label")]
        series = read(path)
        assert list(series.channels) == channels
        np.testing.assert_array_equal(series.values, frame[channels].to_numpy(np.float32))
        assert (series.labels is not None) == ("label" in frame)
        if series.labels is not None:
            np.testing.assert_array_equal(series.labels, frame["label"])
        assert (series.time is not None) == ("timestamp" in frame)
