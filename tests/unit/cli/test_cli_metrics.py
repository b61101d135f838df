"""`amad evaluate`: every metric, as JSON and as text, with a threshold, a mode and clock time."""

import json

import numpy as np
import pandas as pd
import pytest

from amad.evaluation import evaluate


@pytest.fixture
def table(tmp_path):
    """Scores of 200 minutes with two labelled events, the second found late."""
    random = np.random.default_rng(0)
    labels = np.zeros(200, dtype=int)
    labels[50:60] = labels[120:160] = 1
    scores = random.random(200) + labels
    scores[120:140] = 0.1
    scores[10] = 2.5
    time = pd.date_range("2024-03-01", periods=200, freq="min")
    found = pd.DataFrame({"time": time, "score": scores.round(4), "fault": labels})
    found.to_csv(tmp_path / "timed.csv", index=False)
    return found


def test_json_holds_every_metric(amad, table):
    ended = amad("evaluate", "timed.csv", "--label", "fault", "--sliding-window", "20", "--json")
    found = json.loads(ended.out)
    assert found == evaluate(table["score"], table["fault"], 20, time=table["time"])
    given = json.loads(amad("evaluate", "timed.csv", "--label", "fault", "--threshold", "1.0", "--json").out)
    assert (given["threshold"], given["threshold_choice"], given["delays"]) == (1.0, "given", [0, 20])
    assert (given["delay_rows"], given["delay_seconds"]) == (10, 600)
    assert (given["false_alarms_per_1000"], given["false_alarms_per_day"]) == (5, pytest.approx(7.2))
    theirs = json.loads(amad("evaluate", "timed.csv", "--label", "fault", "--mode", "tsb-ad", "--json").out)
    assert (theirs["mode"], theirs["pak_auc"], theirs["pa_f1"] >= given["pa_f1"]) == ("tsb-ad", None, True)


def test_text_never_shows_the_adjusted_f1_alone(amad, table):
    text = amad("evaluate", "timed.csv", "--label", "fault").out
    (line,) = [line for line in text.splitlines() if line.startswith("pa_f1  ")]
    assert "a random score reaches 0." in line
    assert "mean over the 2 of 2 events that were found" in text
    assert "The threshold was chosen by these labels" in text
    assert "chosen by these labels" not in amad("evaluate", "timed.csv", "--label", "fault", "--threshold", "1").out


def test_what_means_nothing_is_empty(amad, tmp_path):
    pd.DataFrame({"score": [0.1, 0.2, 0.3], "fault": 1}).to_csv(tmp_path / "all.csv", index=False)
    text = amad("evaluate", "all.csv", "--label", "fault").out
    assert "Every row is labelled 1" in text
    assert not [line for line in text.splitlines() if line.startswith(("vus_pr", "pa_f1  ")) and line.split()[1] != "-"]


def test_times_out_of_order_leave_rows(amad, table, tmp_path):
    table.iloc[::-1].to_csv(tmp_path / "back.csv", index=False)
    ended = amad("evaluate", "back.csv", "--label", "fault", "--json")
    assert "Time goes back after row 0. Sort the rows by time. Until then delays are told in rows alone." in ended.err
    assert json.loads(ended.out)["delay_seconds"] is None


@pytest.mark.parametrize("level", ["high", "nan"])
def test_a_threshold_is_a_number(amad, table, level):
    ended = amad("evaluate", "timed.csv", "--label", "fault", "--threshold", level)
    assert (ended.code, ended.out) == (2, "")
    assert "threshold" in ended.err
