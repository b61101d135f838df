"""Channel attribution against the formulas written out, and the published lists as they are given."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from amad.errors import InputError
from amad.evaluation.attribution import Interpretation, attribution, rank_quality, read_interpretation


def test_lists_are_read_with_either_end(tmp_path):
    file = tmp_path / "interpretation_label.txt"
    file.write_text("385-417:12,15,16\n\n760-765:4\n")
    assert read_interpretation(file) == [Interpretation(385, 417, (11, 14, 15)), Interpretation(760, 765, (3,))]
    assert read_interpretation(file, inclusive=True)[1] == Interpretation(760, 766, (3,))


@pytest.mark.parametrize("line", ["385:1", "9-9:1", "1-2:0", "1-2:", "1-2:a", "-1-2:1"])
def test_a_wrong_line_is_named(tmp_path, line):
    file = tmp_path / "list.txt"
    file.write_text(f"1-5:1\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        read_interpretation(file)


def test_a_list_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_interpretation(tmp_path / "none.txt")


def test_rates_by_hand():
    shares = np.zeros((6, 5))
    shares[2:4] = [[0.5, 0.3, 0.1, 0.06, 0.04], [0.1, 0.1, 0.1, 0.1, 0.6]]
    events = [Interpretation(2, 4, (1, 4))]
    # maximum: 4, 0, 1, 2, 3; of the first 2 one is listed, of the first 3 both
    found = attribution(shares, events)
    best = 1 + 1 / np.log2(3)
    assert found == pytest.approx(
        {"hit_rate_100": 0.5, "hit_rate_150": 1.0, "ndcg_100": 1 / best, "ndcg_150": 1.5 / best, "events": 1}
    )
    # mean: 4 (.32), 0 (.30), 1 (.20)
    assert attribution(shares, events, pool="mean")["hit_rate_100"] == 0.5
    # weighted by a score that is high in the first row: 0, 1, 2
    weighted = attribution(shares, events, weights=[0, 0, 9, 1, 0, 0])
    assert (weighted["hit_rate_100"], weighted["ndcg_100"]) == pytest.approx((0.5, (1 / np.log2(3)) / best))


tied = st.lists(st.integers(0, 3), min_size=2, max_size=6)


@settings(deadline=None, max_examples=50)
@given(shares=tied, percent=st.sampled_from([100, 150]), data=st.data())
def test_equal_shares_count_as_the_mean_over_their_orders(shares, percent, data):
    values = np.array(shares, dtype=float)
    listed = data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1))
    count = min(percent * len(listed) // 100, len(values))
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(count, len(listed))))
    hits, gains = [], []
    for order in itertools.permutations(range(len(values))):
        if all(values[a] >= values[b] for a, b in itertools.pairwise(order)):
            hits.append(len(listed.intersection(order[:count])) / len(listed))
            gains.append(sum(1 / np.log2(rank + 2) for rank, c in enumerate(order[:count]) if c in listed) / ideal)
    hit, gain = rank_quality(values, tuple(listed), percent)
    assert (hit, gain) == pytest.approx((np.mean(hits), np.mean(gains)))
    truth = np.isin(np.arange(len(values)), list(listed)).astype(float)
    assert gain == pytest.approx(ndcg_score(truth[None], values[None], k=count))


@pytest.mark.parametrize(
    ("values", "event", "more", "message"),
    [
        (np.ones(4), Interpretation(0, 1, (0,)), {}, "shape (4,)"),
        (np.ones((4, 2)), Interpretation(0, 5, (0,)), {}, "lies outside of 4 rows and 2 channels"),
        (np.ones((4, 2)), Interpretation(0, 2, (2,)), {}, "channels up to 3"),
        (np.full((4, 2), np.nan), Interpretation(0, 2, (1,)), {}, "not all finite"),
        (np.ones((4, 2)), Interpretation(0, 2, (1,)), {"pool": "sum"}, "Choose max or mean."),
        (np.ones((4, 2)), Interpretation(0, 2, (1,)), {"weights": [1.0]}, "Give one weight a row."),
    ],
)
def test_what_does_not_fit_is_told(values, event, more, message):
    with pytest.raises(InputError) as error:
        attribution(values, [event], **more)
    assert message in str(error.value)


def test_no_event():
    with pytest.raises(InputError, match="no event"):
        attribution(np.ones((4, 2)), [])
