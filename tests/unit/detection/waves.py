"""Made series and small settings for the tests of this folder."""

import numpy as np

SMALL = {
    "window": 24, "stride": 6, "score_stride": 10, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3,
    "feed_forward": 16, "linear_rows": 4, "linear_components": 4, "max_steps": 12, "batch_size": 16, "smoothing": 9,
    "device": "cpu",
}  # fmt: skip


def waves(rows, seed=0, channels=3):
    """A series (T, C) of noisy waves whose last channel is constant."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    values = 50 + 10 * np.sin(t / np.array([3, 5, 9, 4])[:channels]) + rng.normal(0, 0.5, (rows, channels))
    values[:, -1] = 7
    return values.astype(np.float32)
