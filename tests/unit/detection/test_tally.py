"""What a dragged threshold counts: the same events as the library finds, and spans that touch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad.detection import find_events
from amad.detection.tally import event_rows, tally
from amad.errors import InputError

scores = st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 40.0, float("nan"), float("inf")]), min_size=1, max_size=60)
spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 12)), max_size=6)


@given(scores, st.sampled_from([-1.0, 0.5, 1.5, 10.0, 99.0]), st.integers(0, 4), st.integers(1, 4), st.integers(0, 100))
def test_the_events_are_those_of_the_library(
    score: list[float], threshold: float, gap: int, least: int, severity: int
) -> None:
    starts, ends = event_rows(score, threshold, merge_gap=gap, min_length=least, severity=severity)
    events = find_events(np.array(score), threshold, merge_gap=gap, min_length=least)
    kept = [event for event in events if event.severity >= severity]
    assert [*zip(starts, ends, strict=True)] == [(event.start_row, event.end_row) for event in kept]


@given(spans, spans, spans, spans, spans)
def test_counts_are_those_of_looking_at_every_pair(
    events: list[tuple[int, int]],
    truth: list[tuple[int, int]],
    judged: list[tuple[int, int]],
    refused: list[tuple[int, int]],
    doubted: list[tuple[int, int]],
) -> None:
    found, labelled, done, rejected, unsure = (
        [(a, a + n) for a, n in one] for one in (events, truth, judged, refused, doubted)
    )
    starts, ends = (np.array([span[edge] for span in found], dtype=np.int64) for edge in (0, 1))
    counted = tally(starts, ends, labelled, done)
    decided = tally(starts, ends, labelled, done, rejected, unsure)

    def touches(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
        return any(one[0] < stop and start < one[1] for start, stop in others)

    assert counted.events == len(found)
    assert counted.found == sum(touches(one, found) for one in labelled)
    assert counted.missed == len(labelled) - counted.found
    assert counted.false == sum(not touches(one, labelled) for one in found)
    assert counted.left == sum(not touches(one, done) for one in found)
    apart = [one for one in found if not touches(one, labelled) and not touches(one, unsure)]
    assert tally(starts, ends, labelled, done, None, unsure).false == len(apart)
    assert decided == replace(counted, false=sum(touches(one, rejected) for one in apart))


def test_what_cannot_be_counted_is_said() -> None:
    with pytest.raises(InputError, match="shape"):
        event_rows(np.zeros((2, 2)), 0.5)
    with pytest.raises(InputError, match="not a number"):
        event_rows(np.zeros(3), float("nan"))
    with pytest.raises(InputError, match="merge_gap"):
        event_rows(np.zeros(3), 0.5, merge_gap=-1)
