"""Makes tests/data/metrics_tsb_ad.npz: 50 random cases and what TSB-AD 1.5 finds for them.

    pip install --no-deps TSB-AD==1.5   (in an environment of its own; its evaluation needs only NumPy and scikit-learn)
    python -m tests.unit.evaluation.make_expected

Written once and kept, so that the tests need neither the package nor its time.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from amad.evaluation.tsb_ad import NAMES

FILE = Path(__file__).parents[2] / "data" / "metrics_tsb_ad.npz"
CASES = 50


def make_case(number: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores (T,), labels (T,) of 0 and 1, and a window; every kind of trouble comes round."""
    random = np.random.default_rng(number)
    rows = int(random.integers(30, 500))
    labels = np.zeros(rows, dtype=np.int64)
    for _ in range((1, 2, 5, 25)[number % 4]):  # few and many events
        start = int(random.integers(0, rows - 1))
        labels[start : start + int(random.integers(1, 25))] = 1
    if number % 5 == 1:  # one from the first row on
        labels[: int(random.integers(1, 9))] = 1
    if number % 5 == 2:  # one to the last row
        labels[-int(random.integers(1, 9)) :] = 1
    if number % 5 == 3:  # one row alone, at either end
        labels[:2], labels[-2:] = (1, 0), (0, 1)
    if number % 10 == 4:  # one-row events only
        labels[1:] &= 1 - labels[:-1]
    labels[rows // 2] = 0
    scores = random.random(rows) + labels * random.random() * 0.9
    if number % 3 == 1:  # smooth, as detectors are
        scores = np.convolve(scores, np.ones(9) / 9, mode="same")
    if number % 3 == 2:  # ties
        scores = np.round(scores * 5)
    if number in (17, 41):  # nothing to tell apart
        scores = np.full(rows, 0.25 * number)
    if number % 11 == 5:  # one row far above all
        scores[int(random.integers(rows))] = 1e4
    if number % 7 == 6:
        scores = -scores
    return np.round(scores, 6), labels, (0, 1, 10, 25, 60, 100)[number % 6]


def given_threshold(scores: np.ndarray) -> float:
    """A threshold that flags some rows where scores differ."""
    levels = np.unique(scores)
    return float(levels[len(levels) * 4 // 5 - 1]) if len(levels) > 1 else float(levels[0]) - 1


def main() -> None:
    """Asks the package and writes the file."""
    from TSB_AD.evaluation.metrics import get_metrics

    warnings.filterwarnings("ignore")
    best, given = [], []
    for number in range(CASES):
        scores, labels, window = make_case(number)
        ask = {"slidingWindow": window, "version": "opt", "thre": 250}
        found = get_metrics(scores, labels, pred=None, **ask)
        best.append([found[name] for name in NAMES])
        flagged = (scores > given_threshold(scores)).astype(int)
        found = get_metrics(scores, labels, pred=flagged, **ask)
        given.append([found[name] for name in NAMES])
        print(number, len(scores), window)
    cases = [make_case(number) for number in range(CASES)]
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        FILE,
        rows=[len(scores) for scores, _, _ in cases],
        scores=np.concatenate([scores for scores, _, _ in cases]),
        labels=np.concatenate([labels for _, labels, _ in cases]).astype(np.int8),
        windows=[window for _, _, window in cases],
        best=best,
        given=given,
    )


if __name__ == "__main__":
    main()
