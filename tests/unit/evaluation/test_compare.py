"""Comparisons: one scale, one table, and any detector that keeps the usual protocol."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from sklearn.neighbors import LocalOutlierFactor

from amad.config import make_config
from amad.errors import ConfigError, InputError
from amad.evaluation import compare, evaluate
from amad.evaluation.ablations import ABLATIONS, ablate
from amad.evaluation.compare import BEST, Scored, comparison
from amad.series import Series


def series(rows=1200, seed=0, labelled=True):
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(rows, 1)) * [1, -2, 3] + rng.normal(0, 0.1, (rows, 3))).astype(np.float32)
    labels = np.zeros(rows, np.int8)
    for start in (700, 950):
        values[start : start + 30, 1] += 9
        labels[start : start + 30] = 1
    return Series("pump", values, ("a", "b", "c"), labels=labels if labelled else None)


class Pyod:
    """A detector by PyOD's protocol (fit, decision_function, decision_scores_; no gaps): distance to the mean."""

    def fit(self, X, y=None):
        assert np.isfinite(X).all()
        self.mean_ = X.mean(axis=0)
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X):
        return np.linalg.norm(X - self.mean_, axis=1) - 7.0  # negative scores are allowed


@pytest.fixture(scope="module")
def found():
    return compare(series(), ["random", "zscore", "pca+recipe"], part=(0, 600))


def test_the_training_part_is_not_judged(found):
    assert found.names == ("Random", "Mean squared z-score", "PCA on rows with our recipe")
    assert found.judged.sum() == 600
    assert not found.judged[:600].any()
    table = found.table()
    assert (table["rows"] == 1200).all()
    assert (table["events"] == 2).all()
    assert (table["fit_seconds"] >= 0).all()
    assert (table["rows_per_second"] > 0).all()


def test_metrics_are_those_of_evaluate_at_each_method_s_own_threshold(found):
    given = series()
    for spec in ("percentile:0.99", "pot", "value:2", BEST):
        row = found.table(spec).set_index("method").loc["Mean squared z-score"]
        score = found.scores()["Mean squared z-score"].to_numpy()
        level = found.threshold("Mean squared z-score", spec)
        expected = evaluate(found.scored[1].score[600:], given.labels[600:], 100, threshold=level)
        for name in ("auc_pr", "vus_pr", "point_f1", "pa_f1", "pa_f1_random", "event_f1"):
            assert row[name] == pytest.approx(expected[name]), name
        assert row["flagged_share"] == pytest.approx((score[600:] > level).mean(), abs=2e-3)
    assert found.threshold("Random") == pytest.approx(np.quantile(found.scored[0].training, 0.99), abs=1e-6)


def test_every_score_stands_on_the_scale_of_its_training_quantiles(found):
    for one in found.scored:
        assert np.quantile(one.training, 0.95) == pytest.approx(3.0, abs=0.05)
        assert one.training.min() >= 0
    raw = compare(series(), {"mine": Pyod()}, part=(0, 600))
    plain = Pyod().fit(series().values[:600]).decision_function(series().values)
    order = np.argsort(plain[600:], kind="stable")
    assert (np.diff(raw.scored[0].score[600:][order]) >= 0).all()  # calibration never changes the order


def test_any_detector_of_the_usual_protocol_can_be_passed(found):
    given = series()
    given.values[900:905, 0] = np.nan
    lof = LocalOutlierFactor(20, novelty=True)

    class Turned:
        """scikit-learn's sign is the other way round."""

        def fit(self, X):
            lof.fit(X)
            return self

        def decision_function(self, X):
            return -lof.decision_function(X)

    both = compare(given, {"PyOD": Pyod(), "LOF": Turned(), "z": "zscore"}, part=(0, 600))
    table = both.table().set_index("method")
    assert (table["auc_pr"] > 0.5).all()
    truth = given.labels[600:]
    assert table.loc["LOF", "auc_pr"] == pytest.approx(
        average_precision_score(truth, both.scored[1].score[600:]), abs=1e-6
    )


def test_curves_and_sweeps_tell_the_same_as_the_table(found):
    curves = found.pr_curves()
    table = found.table().set_index("method")
    for name, curve in curves.items():
        assert curve.average_precision == pytest.approx(table.loc[name, "auc_pr"], abs=1e-9)
    sweeps = found.sweeps()
    levels = sweeps["Random"].threshold
    assert all(np.array_equal(one.threshold, levels) for one in sweeps.values())
    one = sweeps["Mean squared z-score"]
    assert one.events_found[0] == 2
    assert one.events_found[-1] == 0
    assert one.false_alarms[-1] == 0


def test_agreement_is_symmetric_where_it_must_be(found):
    agreed = found.agreement()
    np.testing.assert_allclose(agreed.rank, agreed.rank.T)
    np.testing.assert_allclose(np.diag(agreed.rank), 1)
    np.testing.assert_allclose(agreed.flagged, agreed.flagged.T)
    assert agreed.names == found.names
    assert agreed.events[1, 2] > agreed.events[1, 0]  # both see the faults; chance does not
    assert abs(agreed.rank[0, 1]) < 0.15 < agreed.rank[1, 2]


def test_without_labels_there_are_events_and_cost_but_no_metrics():
    found = compare(series(labelled=False), ["zscore", "pca"], part=(0, 600))
    assert not found.labelled
    table = found.table()
    assert "auc_pr" not in table
    assert (table["flagged_events"] > 0).all()
    assert found.agreement().rank.shape == (2, 2)
    assert found.sweeps()["PCA on rows"].events == 0
    for call in (found.pr_curves, lambda: found.threshold("PCA on rows", BEST)):
        with pytest.raises(InputError, match="need"):
            call()


def test_scores_made_elsewhere_and_times_will_do():
    rng = np.random.default_rng(0)
    labels = np.zeros(300, np.int8)
    labels[200:210] = 1
    judged = np.arange(300) >= 100
    one = Scored("mine", labels + 0.1 * rng.random(300), rng.random(100), (2.0, 4.0))
    when = pd.date_range("2024-01-01", periods=300, freq="min")
    row = comparison([one], judged, labels, time=when).table().iloc[0]
    assert (row["fit_seconds"], row["rows_per_second"]) == (2.0, 75.0)
    assert row["delay_seconds"] == 0


@pytest.mark.parametrize(
    ("detectors", "words"),
    [
        ([], "Give at least one detector to compare."),
        (
            ["zscore", "zscore"],
            'Two detectors are called "Mean squared z-score". Give a mapping of names to detectors.',
        ),
        ([3], "int: a detector needs the methods fit and decision_function. It is a int."),
    ],
)
def test_what_cannot_be_compared_is_said(detectors, words):
    with pytest.raises(InputError) as error:
        compare(series(), detectors, part=(0, 600))
    assert str(error.value) == words


def test_a_score_that_is_not_finite_is_named_with_its_row():
    class Odd(Pyod):
        def decision_function(self, X):
            out = super().decision_function(X)
            if len(out) > 700:
                out[700] = np.nan
            return out

    with pytest.raises(InputError, match="odd: the score of row 700 is not a finite number"):
        compare(series(), {"odd": Odd()}, part=(0, 600))
    with pytest.raises(ConfigError, match='There is no detector "lof"'):
        compare(series(), ["lof"], part=(0, 600))
    with pytest.raises(InputError, match="does not lie in"):
        compare(series(), ["zscore"], part=(0, 6000))
    with pytest.raises(InputError, match="There are 5 labels"):
        compare(series(), ["zscore"], labels=np.zeros(5))


def test_each_ablation_takes_one_part_away():
    config = make_config("balanced", {"k_min": 0.1, "beta": 0.01, "window": 64})
    for name, one in ABLATIONS.items():
        without = ablate(config, name)
        changed = {key for key, value in without.model_dump().items() if value != getattr(config, key)}
        assert changed
        assert changed <= set(one.changes)
        assert without.window == 64
        with pytest.raises(InputError, match="without that already"):
            ablate(without, name)
    with pytest.raises(InputError, match="There is no ablation"):
        ablate(config, "no-head")
    with pytest.raises(InputError, match="Only a run of AMAD"):
        ablate(make_config("balanced", {"detector": "pca"}), "no-contrast")
