"""The picture of a class's guesses holds the numbers it was given, says them in words, and hides the answer until it has it."""

import numpy as np
import pytest

from amad import plots
from amad.errors import InputError

VALUES = np.arange(20, dtype=np.float64).reshape(10, 2)


def test_before_the_reveal_only_signals_are_in_the_figure() -> None:
    made = plots.guesses_lesson(VALUES, ["<b>flow", "temp"], first=100)
    assert [trace.name for trace in made.data] == ["&lt;b&gt;flow", "temp"]
    assert list(made.data[0].x) == list(range(100, 110))
    assert not made.layout.shapes
    assert plots.describe(made) == "2 channels over rows 100 to 109."


def test_the_reveal_draws_guesses_score_and_truth() -> None:
    covered, score = np.array([0, 1, 2, 2, 0, 0, 0, 0, 0, 0]), np.linspace(0, 1, 10)
    made = plots.guesses_lesson(
        VALUES, ["a", "b"], covered=covered, truth=(2, 4), score=score, threshold=0.5, first=100
    )
    drawn = {trace.name: trace for trace in made.data}
    assert list(drawn["guesses"].y) == list(covered)
    assert list(drawn["score"].y) == list(score)
    tints = [shape for shape in made.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in tints] == [(101.5, 103.5)] * 4
    told = plots.describe(made)
    assert "most guesses, 2, cover row 102" in told
    assert "the anomaly lies in rows 102 to 103" in told
    assert "highest, 1, at row 109" in told


def test_a_truth_outside_of_the_rows_is_refused() -> None:
    with pytest.raises(InputError, match="does not lie in the 10 rows"):
        plots.guesses_lesson(VALUES, ["a", "b"], truth=(8, 11))
