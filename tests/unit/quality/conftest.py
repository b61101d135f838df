"""Small labelled series for the tests of the quality benchmark."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Three entities of three datasets, one of which is not ranked; rows 100 to 120 of the test parts are labelled."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name in ("ASD/one", "B/two", "SKAB/three"):
        folder = root / name
        folder.mkdir(parents=True)
        for part in ("train", "test"):
            values = np.sin(np.arange(200)[:, None] / [3, 5]) + rng.normal(0, 0.1, (200, 2))
            frame = pd.DataFrame(values.astype(np.float32), columns=["x", "y"])
            if part == "test":
                frame.loc[100:120, "x"] += 4
                frame["label"] = ((frame.index >= 100) & (frame.index <= 120)).astype(np.int8)
            frame.to_parquet(folder / f"{part}.parquet")
    (root / "ASD/one/interpretation_label.txt").write_text("100-120:1\n")
    return root
