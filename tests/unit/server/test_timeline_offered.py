"""What the timeline offers unasked: periods that can be seen, each once, the strongest first."""

import numpy as np

from app.components.timeline.offered import scores, strongest


def test_periods_are_whole_rows_that_the_series_can_show() -> None:
    periods = np.array([[24.0, 24.4, 3.0], [168.0, 5000.0, 7.0]])
    weights = np.array([1.0, -3.0])
    assert strongest(2 * np.pi / periods, weights, 1000) == [168, 7, 24]
    assert strongest(2 * np.pi / periods, weights, 100) == [7, 24]
    assert strongest(np.array([[0.0, np.nan]]), np.array([1.0]), 1000) == []


def test_only_stored_views_are_offered_as_scores() -> None:
    assert scores(["expected:a", "shape", "score"]) == {"score": None, "shape": None}
