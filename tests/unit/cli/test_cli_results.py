"""`amad score`, `detect`, `inspect`, `evaluate`, `export`, `import`, `runs`: files as promised, wrong input told."""

import json

import numpy as np
import pandas as pd
import pytest


def test_scores_as_parquet_and_csv_hold_the_same(amad, trained, data, tmp_path):
    ended = amad("score", "night", "pump", "-o", "scores.parquet", workspace=trained)
    assert ended.code == 0, ended.err
    table = pd.read_parquet(tmp_path / "scores.parquet")
    assert list(table.columns[:3]) == ["time", "score", "reconstruction"]
    assert "divergence" in table
    assert list(table.columns[-3:]) == ["share:flow", "share:heat", "share:noise"]
    assert len(table) == 400
    np.testing.assert_allclose(table.filter(like="share:").sum(axis=1), 1, atol=1e-5)
    assert str(table["time"][1]) == "2024-03-01 00:01:00"
    peak = int(table["score"].idxmax())
    assert ended.out == (
        f"400 rows scored, written to scores.parquet; the highest score is {table['score'][peak]:.4g} "
        f"at row {peak} ({table['time'][peak].isoformat()}).\n"
    )
    ended = amad("score", "night", data, "-o", "scores.csv", "--json", workspace=trained)
    found = json.loads(ended.out)
    assert (found["rows"], found["series"], found["highest_row"]) == (400, "pump", peak)
    other = pd.read_csv(tmp_path / "scores.csv", parse_dates=["time"])
    assert list(other.columns) == list(table.columns)
    np.testing.assert_allclose(other["score"], table["score"], rtol=1e-5)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["scores.csv", "scores.parquet"]


def test_rows_count_from_0_without_a_time_axis(amad, trained, data, tmp_path):
    pd.read_csv(data)[["heat", "noise", "flow"]].to_csv(tmp_path / "bare.csv", index=False)
    assert amad("score", "night", "bare.csv", "-o", "scores.csv", workspace=trained).code == 0
    table = pd.read_csv(tmp_path / "scores.csv")
    assert list(table["row"]) == list(range(400))
    assert list(table.columns[-3:]) == ["share:flow", "share:heat", "share:noise"]


def test_missing_channels_and_runs_are_named(amad, trained, data, tmp_path):
    pd.read_csv(data)[["heat", "noise"]].to_csv(tmp_path / "bare.csv", index=False)
    ended = amad("score", "night", "bare.csv", "-o", "scores.csv", workspace=trained)
    assert (ended.code, ended.err) == (
        2,
        'amad: Series "bare" lacks 1 of the 3 channels of run "night": "flow". It has "heat", "noise".\n',
    )
    ended = amad("score", "day", "pump", "-o", "scores.csv", workspace=trained)
    assert (ended.code, ended.err) == (2, 'amad: There is no run "day" in this workspace. There are "night".\n')
    assert not (tmp_path / "scores.csv").exists()


def test_events_as_csv_and_json(amad, trained, tmp_path):
    ended = amad("detect", "night", "pump", "--threshold", "percentile:0.9", "-o", "e.csv", "--json", workspace=trained)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    table = pd.read_csv(tmp_path / "e.csv")
    assert list(table.columns) == ["id", "start_row", "end_row", "start", "end", "peak", "mean", "channels"]
    assert len(table) == len(found["events"]) > 0
    strongest = table.loc[table["peak"].idxmax()]
    assert strongest["start_row"] <= 309
    assert strongest["end_row"] > 300
    minute = pd.Timestamp("2024-03-01")
    assert pd.Timestamp(strongest["start"]) == minute + pd.Timedelta(minutes=int(strongest["start_row"]))
    assert pd.Timestamp(strongest["end"]) == minute + pd.Timedelta(minutes=int(strongest["end_row"]) - 1)
    assert set(strongest["channels"].split(";")) <= {"flow", "heat", "noise"}
    ended = amad("detect", "night", "pump", "--threshold", "percentile:0.9", "-o", "e.json", workspace=trained)
    assert json.loads((tmp_path / "e.json").read_text()) == found["events"]
    assert ended.out.startswith(
        f"{len(table)} event{'s' if len(table) != 1 else ''} above {found['threshold']:.4g}, written"
    )


def test_no_event_is_an_empty_table(amad, trained, tmp_path):
    ended = amad("detect", "night", "pump", "--threshold", "value:1e9", "-o", "e.csv", workspace=trained)
    assert (ended.code, ended.out) == (0, "0 events above 1e+09, written to e.csv.\n")
    assert (tmp_path / "e.csv").read_text() == "id,start_row,end_row,start,end,peak,mean,channels\n"


def test_maps_of_the_window_around_a_row_or_a_time(amad, trained, tmp_path):
    ended = amad("inspect", "night", "pump", "--at", "200", "-o", "maps.npz", workspace=trained)
    assert ended.code == 0, ended.err
    with np.load(tmp_path / "maps.npz", allow_pickle=False) as maps:
        assert {"local", "global", "mixed", "cad", "mixing", "omega", "weights", "rows"} <= set(maps.files)
        assert maps["local"].shape == (1, 2, 16, 16)
        assert maps["cad"].shape == (1, 16)
        rows = maps["rows"]
    assert rows[0] <= 200 <= rows[-1]
    ended = amad("inspect", "night", "pump", "--at", "2024-03-01T03:20", "-o", "maps.npz", "--json", workspace=trained)
    assert json.loads(ended.out)["at"] == 200


@pytest.fixture
def scores(tmp_path):
    """Scores of 50 rows, 5 of them labelled and higher than the rest."""
    table = pd.DataFrame({"score": np.arange(50) / 50.0, "fault": (np.arange(50) >= 45).astype(int)})
    table.to_csv(tmp_path / "scores.csv", index=False)
    return table


def test_labels_come_from_a_column_a_file_or_the_workspace(amad, scores, tmp_path, trained):
    found = json.loads(amad("evaluate", "scores.csv", "--label", "fault", "--json").out)
    assert found["auc_roc"] == found["auc_pr"] == found["point_f1"] == 1.0
    scores[["fault"]].to_csv(tmp_path / "truth.csv", index=False)
    scores[["fault"]].to_csv(tmp_path / "bare.csv", index=False, header=False)
    np.save(tmp_path / "truth.npy", scores["fault"].to_numpy())
    scores.rename(columns={"fault": "label"}).to_parquet(tmp_path / "truth.parquet")
    for file in ("truth.csv", "bare.csv", "truth.npy", "truth.parquet"):
        assert json.loads(amad("evaluate", "scores.csv", "--label", file, "--json").out) == found
    text = amad("evaluate", "scores.csv", "--label", "fault").out
    assert "50 rows, 5 of them labelled." in text
    assert "compare it with pa_f1_random" in text
    assert amad("score", "night", "pump", "-o", "night.parquet", workspace=trained).code == 0
    ended = amad("evaluate", "night.parquet", "--label", "pump", "--json", workspace=trained)
    assert json.loads(ended.out)["auc_roc"] > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["none.csv", "--label", "fault"], "There is no file none.csv. Give one that `amad score` wrote."),
        (["scores.csv", "--label", "fault", "--column", "x"], 'scores.csv has no column "x". It has "score", "fault".'),
        (["scores.csv", "--label", "score"], 'scores.csv, column "score", row 1: 0.02 is not a label. Labels are 0 and 1.'),
        (["scores.csv", "--label", "short.csv"], "short.csv: 3 labels for 50 rows. Give one label a row, or labels with their times."),
        (["text.csv", "--label", "short.csv"], "text.csv, column \"score\": could not convert string to float: 'high'; numbers are needed."),
        (["scores.csv", "--label", "nothing"], '"nothing" is no column of scores.csv (it has "score", "fault"), no file, and no series'),
        (["torn.parquet", "--label", "x"], "torn.parquet cannot be read as parquet ("),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(amad, scores, tmp_path, call, message):
    (tmp_path / "short.csv").write_text("label\n0\n1\n0\n")
    (tmp_path / "text.csv").write_text("score,x\nhigh,1\nlow,2\nhigh,3\n")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    ended = amad("evaluate", *call)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"amad: {message}")


def test_a_run_travels_as_a_file(amad, trained, data, tmp_path):
    ended = amad("export", "night", "-o", "run.zip", "--scores", workspace=trained)
    assert ended.code == 0
    assert ended.out.startswith('Run "night" written to run.zip (')
    ended = amad("import", "run.zip")
    assert ended.code == 0, ended.err
    assert ended.out.split("\n")[0] == 'Imported run "night", 3 channels.'
    assert amad("score", ended.last, data, "-o", "s.csv").code == 0
    assert amad("score", "night", data, "-o", "t.csv", workspace=trained).code == 0
    assert (tmp_path / "s.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()
    text = amad("runs").out.split("\n")
    assert text[0].split() == ["id", "name", "state", "series", "preset", "created", "(UTC)"]
    assert text[1].split()[:5] == [ended.last, "night", "done", "-", "quick"]
    (only,) = json.loads(amad("runs", "--json").out)
    assert (only["id"], only["channels"], only["series"]) == (ended.last, ["flow", "heat", "noise"], None)


def test_what_is_no_run_is_not_imported(amad, tmp_path):
    (tmp_path / "run.zip").write_text("hello")
    ended = amad("import", "run.zip")
    assert (ended.code, ended.err) == (
        2,
        "amad: run.zip: this is not a whole zip file (File is not a zip file). Export the run again.\n",
    )


@pytest.fixture
def timed(tmp_path):
    """Scores of 60 rows with times, in which rows 40 to 49 are high; the labels that say so (60,)."""
    labels = np.zeros(60, dtype=int)
    labels[40:50] = 1
    times = pd.date_range("2024-03-01", periods=60, freq="min")
    pd.DataFrame({"time": times, "score": labels * 5.0 + 0.1, "share:flow": 1.0}).to_parquet(tmp_path / "timed.parquet")
    pd.DataFrame({"time": times, "score": labels * 5.0 + 0.1}).to_csv(tmp_path / "timed.csv", index=False)
    return pd.DataFrame({"when": times, "flow": np.arange(60.0), "anomaly": labels})


def test_labels_come_in_every_form_that_a_series_takes_them_in(amad, timed, tmp_path):
    timed.to_csv(tmp_path / "series.csv", sep=";", decimal=",", index=False)
    timed.iloc[::-1].to_csv(tmp_path / "backwards.csv", index=False)
    timed[["when", "anomaly"]].to_csv(tmp_path / "alone.csv", index=False)
    timed["anomaly"].to_csv(tmp_path / "mark.csv", index=False, header=False)
    windows = {"timed": [["2024-03-01 00:40:00", "2024-03-01 00:49:00"]], "another": []}
    (tmp_path / "windows.json").write_text(json.dumps(windows))
    pd.DataFrame({"start_row": [40], "end_row": [50]}).to_csv(tmp_path / "spans.csv", index=False)
    (tmp_path / "list.txt").write_text("40-50:1\n")
    for scores in ("timed.parquet", "timed.csv"):
        for file in ("series.csv", "backwards.csv", "alone.csv", "mark.csv", "windows.json", "spans.csv"):
            ended = amad("evaluate", scores, "--label", file, "--json")
            assert ended.code == 0, (file, ended.err)
            assert (json.loads(ended.out)["point_f1"], json.loads(ended.out)["anomalous_rows"]) == (1.0, 10), file
    ended = amad("evaluate", "timed.parquet", "--label", "list.txt", "--json")
    assert json.loads(ended.out)["point_f1"] == 1.0


def test_labels_of_other_rows_and_files_without_labels_are_told(amad, timed, tmp_path):
    timed.drop(columns="anomaly").to_csv(tmp_path / "bare.csv", index=False)
    ended = amad("evaluate", "timed.parquet", "--label", "bare.csv")
    assert (ended.code, ended.err) == (
        2,
        'amad: bare.csv: no column with labels of 0 and 1. Name that column "label", or keep it alone.\n',
    )
    timed.assign(when=timed["when"] + pd.Timedelta("1D")).to_csv(tmp_path / "later.csv", index=False)
    ended = amad("evaluate", "timed.parquet", "--label", "later.csv")
    assert (ended.code, ended.err) == (2, "amad: later.csv: none of its times is one of the series.\n")


def test_odd_characters_of_a_file_name_stay_out_of_messages(amad, timed, tmp_path):
    odd = tmp_path / "a\x1b[31m\nb.csv"
    timed.drop(columns="anomaly").to_csv(odd, index=False)
    ended = amad("evaluate", "timed.parquet", "--label", odd.name)
    assert ended.code == 2
    assert ended.err.startswith("amad: a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b.csv: no column with")
    assert ended.err.count("\n") == 1
    odd.write_text("x\n1\nbroken\n2\n3\n")
    ended = amad("fit", odd.name)
    assert ended.code == 2
    assert ended.err.startswith("amad: a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b.csv, row 3, column")
