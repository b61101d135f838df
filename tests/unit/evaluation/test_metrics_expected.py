"""Metrics against what TSB-AD 1.5 finds on 50 stored cases (made by make_expected.py)."""

from pathlib import Path

import numpy as np
import pytest

from amad.evaluation import evaluate

FILE = Path(__file__).parents[2] / "data" / "metrics_tsb_ad.npz"
NAMES = (
    "auc_roc", "auc_pr", "vus_roc", "vus_pr", "point_f1", "pa_f1", "event_f1", "range_f1", "affiliation_f1",
)  # fmt: skip
RANKING = NAMES[:4]


def load():
    with np.load(FILE) as stored:
        ends = np.cumsum(stored["rows"])
        scores, labels = np.split(stored["scores"], ends[:-1]), np.split(stored["labels"], ends[:-1])
        return list(zip(scores, labels, stored["windows"].tolist(), stored["best"], stored["given"], strict=True))


CASES = load()


def given_threshold(scores):
    levels = np.unique(scores)
    return float(levels[len(levels) * 4 // 5 - 1]) if len(levels) > 1 else float(levels[0]) - 1


def differing(found, expected, names=NAMES):
    """Names of metrics that are not equal within 1e-6; NaN there is None here."""
    pairs = {name: (found[name], value) for name, value in zip(NAMES, expected, strict=True) if name in names}
    same = {
        n: value is None if np.isnan(e) else value is not None and abs(value - e) < 1e-6
        for n, (value, e) in pairs.items()
    }
    return {name: pairs[name] for name, equal in same.items() if not equal}


def test_the_cases_hold_what_is_hard():
    assert len(CASES) == 50
    labels = [case[1] for case in CASES]
    assert sum(truth[0] == 1 for truth in labels) > 5
    assert sum(truth[-1] == 1 for truth in labels) > 5
    assert sum(truth[-1] == 1 and truth[-2] == 0 for truth in labels) > 2  # an event of the last row alone
    assert sum(len(np.unique(case[0])) == 1 for case in CASES) == 2
    assert sum(len(np.unique(case[0])) < 12 for case in CASES) > 10
    events = [int((np.diff(truth, prepend=0) == 1).sum()) for truth in labels]
    assert (min(events), max(events) > 12) == (1, True)
    assert np.isnan([case[3] for case in CASES]).sum() == 2  # affiliation of constant scores


@pytest.mark.parametrize("number", range(50))
def test_the_mode_of_tsb_ad_equals_the_package(number):
    scores, labels, window, best, given = CASES[number]
    assert differing(evaluate(scores, labels, window, mode="tsb-ad"), best) == {}
    level = given_threshold(scores)
    assert differing(evaluate(scores, labels, window, threshold=level, mode="tsb-ad"), given) == {}


def test_the_plain_mode_differs_only_where_a_quirk_is_named():
    quirks = set()
    for scores, labels, window, best, given in CASES:
        plain = evaluate(scores, labels, window)
        assert differing(plain, best, RANKING) == {}
        # the package adds 1e-5 to a sum of at most 2
        assert plain["point_f1"] == pytest.approx(best[4], abs=1e-4)
        level = given_threshold(scores)
        found = differing(evaluate(scores, labels, window, threshold=level), given)
        if labels[0]:
            quirks |= {"first"} if found.pop("pa_f1", None) else set()
        if labels[-1]:
            quirks |= {"last"} if found.pop("event_f1", None) else set()
        if (scores > level).all():
            quirks |= {"all"} if found.pop("range_f1", None) else set()
        assert found == {}
    assert quirks == {"first", "last", "all"}


def test_what_the_package_does_not_have_is_left_out_in_its_mode():
    scores, labels, window, _, _ = CASES[1]
    found = evaluate(scores, labels, window, mode="tsb-ad")
    empty = (
        "pak_auc",
        "affiliation_precision",
        "affiliation_recall",
        "delay_rows",
        "false_alarms_per_1000",
        "threshold",
    )
    assert [found[name] for name in empty] == [None] * len(empty)
    assert found["threshold_choice"] == "best of each metric"
    assert found["pa_f1_random"] > 0  # still beside the point-adjusted F1
