"""Amounts in words: three digits, and never 1,000 of a unit that has a larger one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad.numbers import UNITS, size_text


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (12, "12 bytes"), (999.6, "1 kB"), (6_400_000, "6.4 MB"), (1.23e9, "1.23 GB"), (5e15, "5,000 TB")],
)
def test_amounts_as_people_say_them(count: float, words: str) -> None:
    assert size_text(count) == words


@given(st.floats(0, 9.9e14))
def test_a_size_is_within_half_a_percent_of_the_amount(count: float) -> None:
    number, unit = size_text(count).split(" ")
    assert 0 <= float(number) < 1000
    assert float(number) * 1000 ** UNITS.index(unit) == pytest.approx(count, rel=5.1e-3, abs=0.5)
