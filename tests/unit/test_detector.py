"""AMAD as an estimator: scikit-learn and PyOD conventions, kinds of X, saving and loading, clear refusals."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone, is_outlier_detector
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from amad import AMAD
from amad.errors import CheckpointError, ConfigError, InputError

SMALL = {
    "window": 24, "stride": 6, "score_stride": 12, "d_model": 16, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "linear_rows": 4, "linear_components": 3, "max_steps": 3, "batch_size": 16, "smoothing": 9, "device": "cpu",
}  # fmt: skip


def table(rows=160, seed=0):
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(rows)[:, None] / [3, 5, 8]) + rng.normal(0, 0.1, (rows, 3))
    return pd.DataFrame(
        values, columns=["flow", "pressure", "valve"], index=pd.date_range("2024-05-01", periods=rows, freq="min")
    )


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return AMAD(**SMALL).fit(table())


def test_fit_learns_what_pyod_promises(model):
    assert model.decision_scores_.shape == (160,)
    assert model.labels_.dtype == np.int64
    np.testing.assert_array_equal(model.labels_, model.decision_scores_ > model.threshold_)
    np.testing.assert_array_equal(model.decision_function(table()), model.decision_scores_)
    np.testing.assert_array_equal(model.predict(table()), model.labels_)
    assert model.threshold_ == model.detector_.threshold("percentile:0.99")
    assert model.channels_ == ("flow", "pressure", "valve")
    assert model.n_features_in_ == 3
    assert is_outlier_detector(model)
    check_is_fitted(model)


def test_a_fault_scores_higher(model):
    test = table(seed=1)
    test.iloc[80:90, 1] += 5
    score = model.decision_function(test)
    assert 76 <= score.argmax() < 94
    assert model.predict(test)[80:90].all()
    assert model.score_all(test).shares[85].argmax() == 1


def test_parameters_survive_a_clone():
    model = AMAD("quick", window=32, beta=0.5)
    assert model.get_params() == {"preset": "quick", "window": 32, "beta": 0.5}
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert copy.set_params(window=40, preset="balanced", tau=0.3) is copy
    assert copy.get_params() == {"preset": "balanced", "window": 40, "beta": 0.5, "tau": 0.3}
    assert model.get_params() == {"preset": "quick", "window": 32, "beta": 0.5}
    assert repr(model) == "AMAD(beta=0.5, preset='quick', window=32)"


def test_the_constructor_checks_nothing_and_fit_everything():
    with pytest.raises(ConfigError) as error:
        AMAD("balanced", windw=10, heads=0).fit(table())
    assert str(error.value) == (
        'There is no setting "windw". Did you mean "window"?\nSetting "heads": 0 does not do. Input should be greater than '
        "or equal to 1."
    )
    with pytest.raises(ConfigError, match='There is no setting "windw"'):
        AMAD().set_params(windw=10)
    with pytest.raises(ConfigError, match='There is no preset "fast"'):
        AMAD("fast").fit(table())


def test_kinds_of_x_give_the_same_scores(model):
    frame = table(seed=2)
    expected = model.decision_function(frame)
    np.testing.assert_array_equal(model.decision_function(frame[["valve", "flow", "pressure"]]), expected)
    np.testing.assert_array_equal(model.decision_function(frame.to_numpy()), expected)
    np.testing.assert_array_equal(model.decision_function(frame.to_numpy().tolist()), expected)
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    np.testing.assert_array_equal(model.decision_function(arrow), expected)
    np.testing.assert_array_equal(model.decision_function(frame.assign(spare=1.0)), expected)


def test_one_channel_and_chosen_channels_work():
    one = AMAD(**SMALL).fit(table()["flow"].to_numpy())
    assert one.channels_ == ("channel_1",)
    assert one.decision_function(table()["flow"].to_numpy()).shape == (160,)
    chosen = AMAD(**SMALL, channels=("valve", "flow")).fit(table())
    assert chosen.channels_ == ("valve", "flow")
    assert chosen.decision_function(table()).shape == (160,)


def test_missing_and_infinite_values_are_taken_as_missing(model):
    frame = table(seed=3)
    frame.iloc[10:20, 0] = np.nan
    missing = model.decision_function(frame)
    frame.iloc[10:20, 0] = np.inf
    np.testing.assert_array_equal(model.decision_function(frame), missing)
    assert np.isfinite(missing).all()


def test_save_and_load_give_the_same_scores(model, tmp_path):
    model.save(tmp_path / "run")
    again = AMAD.load(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(again.decision_function(table(seed=4)), model.decision_function(table(seed=4)))
    assert again.threshold_ == model.threshold_
    assert again.get_params() == model.get_params()
    again.save(tmp_path / "second")
    again.save(tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {path.name for path in (tmp_path / "second").iterdir()}
    assert {"config.json", "model.safetensors", "scaler.json", "detection.safetensors", "detection.json"} <= names


def test_saving_over_something_else_is_refused(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError) as error:
        model.save(tmp_path)
    assert str(error.value) == f"{tmp_path} holds something other than a run. Name a new or empty folder."


def test_loading_nothing_names_the_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json"):
        AMAD.load(tmp_path)


def test_before_fit_it_says_so():
    for call in (lambda m: m.predict(table()), lambda m: m.inspect(table(), 3), lambda m: m.save("anywhere")):
        with pytest.raises(NotFittedError) as error:
            call(AMAD())
        assert str(error.value) == "This AMAD is not fitted yet. Call fit(X), or AMAD.load(folder)."


def test_inspect_shows_the_window_around_a_row(model):
    found = model.inspect(table(), at=100)
    assert found["rows"].tolist() == list(range(88, 112))
    assert found["local"].shape == (1, 2, 24, 24)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 2, 2)), "X has shape (5, 2, 2). Give (rows, channels), or (rows,) for one channel."),
        (np.zeros((0, 2)), "X has 0 rows and 2 channels. Give at least one of each."),
        (
            pd.DataFrame({"a": ["x", "y"]}),
            "X, column \"a\": not numbers (could not convert string to float: 'x'). Leave it out, or convert it; "
            "a time column becomes the index.",
        ),
        (
            pd.DataFrame({"when": pd.date_range("2024", periods=3), "a": [1.0, 2, 3]}),
            'X, column "when": not numbers (type datetime64[us]). Leave it out, or convert it; a time column becomes the index.',
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
            "X has two columns of the same name. Give each channel a name of its own.",
        ),
        (
            np.zeros((10, 2)),
            "The training part has 10 rows, but one window takes 24. Choose a longer training part, or set a shorter window.",
        ),
    ],
)
def test_what_cannot_be_fitted_is_named(x, message):
    with pytest.raises(InputError) as error:
        AMAD(**SMALL).fit(x)
    assert str(error.value) == message


def test_what_cannot_be_scored_is_named(model):
    with pytest.raises(InputError) as error:
        model.decision_function(table()[["flow"]])
    assert str(error.value) == "X lacks the channels pressure, valve that the run was trained on. It has flow."
    with pytest.raises(InputError) as error:
        model.decision_function(np.zeros((50, 2)))
    assert str(error.value) == "X has 2 channels; the run was trained on 3."
    with pytest.raises(InputError) as error:
        model.decision_function(table(rows=20))
    assert str(error.value) == "The series has 20 rows, a window needs 24. Give a longer series or a shorter window."
