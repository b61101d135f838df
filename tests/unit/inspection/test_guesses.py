"""Guesses of a class: covered rows and hits are what counting row by row gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad.errors import InputError
from amad.inspection import coverage, hits

SPANS = st.tuples(st.integers(0, 39), st.integers(1, 40)).filter(lambda span: span[0] < span[1])


@given(guesses=st.lists(SPANS, max_size=8), truth=SPANS)
def test_rows_are_counted_one_by_one(guesses: list[tuple[int, int]], truth: tuple[int, int]) -> None:
    assert list(coverage(guesses, 40)) == [sum(a <= row < b for a, b in guesses) for row in range(40)]
    real = set(range(*truth))
    literal = [len(set(range(*one)) & real) / len(set(range(*one)) | real) for one in guesses]
    assert np.allclose(hits(guesses, truth), literal)


def test_a_guess_outside_of_the_rows_is_refused() -> None:
    with pytest.raises(InputError, match="Rows 5 to 41 do not lie in the 40 rows"):
        coverage([(5, 41)], 40)
