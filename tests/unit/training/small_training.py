"""A small series, small settings and a quick training, for the tests of this folder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.config import Config, make_config
from amad.training import train

TINY = {
    "window": 20, "stride": 4, "score_stride": 10, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 8,
    "linear_rows": 4, "linear_components": 2, "batch_size": 8, "max_steps": 24, "device": "cpu",
}  # fmt: skip
NAMES = ("a", "b", "c")


def tiny(**changes: Any) -> Config:
    return make_config("balanced", TINY | changes)


def wave(rows: int = 400, channels: int = 3) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    t = np.arange(rows)[:, None]
    x = np.sin(2 * np.pi * t / np.array([11.0, 17, 23][:channels])) + 0.1 * rng.standard_normal((rows, channels))
    return x.astype(np.float32)


def fit(folder: Path, config: Config | None = None, **options: Any) -> bool:
    options = {"part": (0, 400)} | options
    values = options.pop("values", wave())
    return train(values, NAMES[: values.shape[1]], config or tiny(), folder, **options)
