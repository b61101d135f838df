"""Laws of events: whatever the score, they are disjoint, ordered, far enough apart, long enough and complete."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.detection.events import find_events

scores = st.lists(st.floats(0, 4, width=16) | st.just(float("nan")), max_size=80)


@settings(deadline=None)
@given(score=scores, threshold=st.floats(0, 4), gap=st.integers(0, 5), length=st.integers(1, 6))
def test_events_obey_their_laws(score, threshold, gap, length):
    score = np.array(score, dtype=np.float32)
    events = find_events(score, threshold, merge_gap=gap, min_length=length)
    above = score > threshold
    covered = np.zeros(len(score), dtype=bool)
    for event in events:
        assert 0 <= event.start_row < event.end_row <= len(score)
        assert event.end_row - event.start_row >= length
        assert above[event.start_row]
        assert above[event.end_row - 1]
        assert event.start_row <= event.peak_row < event.end_row
        assert event.peak == np.nanmax(score[event.start_row : event.end_row]) == score[event.peak_row]
        assert event.peak >= event.mean
        covered[event.start_row : event.end_row] = True
    for before, after in itertools.pairwise(events):
        assert after.start_row - before.end_row > gap
        assert after.id == before.id + 1
    # What lies above and outside belongs to a run that, gaps closed, is too short.
    every = find_events(score, threshold, merge_gap=gap)
    inside = np.zeros(len(score), dtype=bool)
    for event in every:
        inside[event.start_row : event.end_row] = True
        if event.end_row - event.start_row >= length:
            assert covered[event.start_row : event.end_row].all()
        else:
            assert not covered[event.start_row : event.end_row].any()
    assert inside[above].all()


@settings(deadline=None)
@given(score=scores, threshold=st.floats(0, 4), gap=st.integers(0, 5))
def test_a_row_inside_is_at_most_gap_rows_from_a_row_above(score, threshold, gap):
    score = np.array(score, dtype=np.float32)
    above = np.flatnonzero(score > threshold)
    for event in find_events(score, threshold, merge_gap=gap):
        for row in range(event.start_row, event.end_row):
            before, after = above[above <= row].max(), above[above >= row].min()
            assert after - before - 1 <= gap or before == after


@settings(deadline=None)
@given(score=scores, threshold=st.floats(0, 4), channels=st.integers(1, 4), seed=st.integers(0, 99))
def test_shares_of_events_add_up_to_one(score, threshold, channels, seed):
    shares = np.random.default_rng(seed).dirichlet(np.ones(channels), size=len(score)).reshape(-1, channels)
    for event in find_events(score, threshold, merge_gap=2, shares=shares):
        assert abs(event.shares.sum() - 1) < 1e-5
        assert (event.shares >= 0).all()
