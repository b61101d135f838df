"""Near-live scoring: the scores of a batch whatever the pieces, events told once, a kill that loses and doubles nothing."""

import http.server
import itertools
import json
import sys
import threading

import numpy as np
import pytest

from amad.cli import main
from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.errors import InputError
from amad.jobs import hooks
from amad.jobs.arriving import Files, Rows
from amad.jobs.watching import Spool, Watch, watches
from amad.series import Series
from amad.workspace import Workspace

TINY = {
    "window": 24, "stride": 4, "score_stride": 7, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 8, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 9, "device": "cpu",
    "threshold": "percentile:0.99", "merge_gap": 3,
}  # fmt: skip
CHANNELS = ("a", "b")
PART = (100, 700)


def wave(rows, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    x = np.sin(2 * np.pi * t / np.array([11.0, 17.0])) + 0.1 * rng.standard_normal((rows, 2))
    x[rng.random(rows) < 0.02] = np.nan
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A workspace with a finished run that was fitted on rows 100 to 700 of a series."""
    workspace = Workspace.open(tmp_path_factory.mktemp("ws"))
    config = make_config("quick", TINY)
    record = workspace.add_series(Series("train", wave(1000), CHANNELS))
    run = workspace.create_run(record.id, name="live", config=config, part=PART, held=True)
    fit_run(workspace.run_folder(run.id), workspace.open_series(record.id), config, part=PART)
    workspace.update_run(run.id, state="running")
    return workspace, workspace.update_run(run.id, state="done")


@pytest.fixture
def watch(fitted, tmp_path):
    workspace, run = fitted
    detector = Detector.load(workspace.run_folder(run.id), "cpu")
    told = []
    made = Watch(workspace, run, None, "now", detector, Spool(tmp_path / "spool", 2), detector.threshold(), told.append)
    return made, told


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_a_batch_whatever_pieces_the_rows_come_in(watch, seed):
    made, _ = watch
    values = wave(1000, seed)  # of seed 0: the series that holds the training part
    draw = np.random.default_rng(4)
    at, finals = 0, np.empty(0, np.float32)
    while at < len(values):
        step = int(draw.integers(1, 120))
        made.take(Rows(values[at : at + step]))
        made.score()
        at += step
        now = np.asarray(made.spool.scores()[: made.final, 0])
        if made._own is None or len(finals) > PART[1]:
            np.testing.assert_allclose(now[: len(finals)], finals, rtol=1e-5, atol=1e-5)  # final means final
            finals = now.copy()
    names, batch = made.detector.score(values).columns()
    assert made.spool.note["names"] == list(names)
    np.testing.assert_allclose(np.asarray(made.spool.scores()), batch, rtol=1e-4, atol=1e-5)
    assert made.final == 1000 - made.detector.delay
    assert (made._own is not None) == (seed == 0)


def test_an_event_is_told_once_when_it_is_first_seen_and_the_workspace_shows_it(watch):
    made, told = watch
    values = wave(600, 7)
    values[400:412] += 6
    made.threshold = 0.4 * float(made.detector.score(values).score[400:412].max())
    for at in range(0, 600, 10):
        made.take(
            Rows(values[at : at + 10], [f"2026-01-01T00:{(at + i) // 60:02d}:{(at + i) % 60:02d}Z" for i in range(10)])
        )
        made.score()
    big = [event for event in told if event["start_row"] < 430 and event["end_row"] > 390]
    batch = made.detector.events(made.detector.score(values), made.threshold)
    for event in batch:  # each is told, and nothing is told twice
        assert any(one["start_row"] < event.end_row + 3 and one["end_row"] + 3 > event.start_row for one in told)
    assert len(told) <= len(batch) + 2
    assert all(left["end_row"] < right["start_row"] for left, right in itertools.pairwise(told))
    assert big[0]["channels"]
    assert big[0]["start"].startswith("2026-01-01T00:0")
    assert big[0]["final"] is False
    assert [event["id"] for event in told] == list(range(1, len(told) + 1))
    assert made.show(now=True)
    shown = made.workspace.open_series("now")
    np.testing.assert_array_equal(shown.values, values)
    assert made.workspace.scores_columns(made.run.id, "now").rows == 600
    assert str(shown.time[61]) == "2026-01-01 00:01:01"
    created = made.series.created
    made.take(Rows(values[:5], ["2026-01-01T01:00:00Z"] * 5))
    made.score()
    assert not made.show()  # shown a moment ago
    assert made.show(now=True)
    assert made.workspace.find_series("now").rows == 605
    assert made.workspace.find_series("now").created != created
    made.workspace.delete_series("now")


def test_maintenance_tells_no_event_and_leaves_its_rows_unscored(watch):
    made, told = watch
    values = wave(600, 7)
    values[400:412] += 6
    made.threshold = 0.4 * float(made.detector.score(values).score[400:412].max())

    def give(start, stop):
        times = [f"2026-01-01T00:{row // 60:02d}:{row % 60:02d}Z" for row in range(start, stop)]
        made.take(Rows(values[start:stop], times))
        made.score()

    give(0, 300)
    assert made.show(now=True)
    desk = made.workspace.incidents(made.series.id, "Ada")
    window = desk.add_window("w", weekday=3, minute=5, minutes=3, training=False, alarms=True)  # a Thursday
    before = len(told)
    give(300, 480)
    assert all(event["end_row"] <= 300 for event in told[before:])
    desk.remove_window(window.id)
    desk.add_window("w", weekday=3, minute=5, minutes=3, training=False, scoring=True, alarms=False)
    give(480, 600)
    assert not [event for event in told[before:] if 300 <= event["start_row"] < 480]
    made.workspace.delete_series("now")


def test_a_spool_goes_on_from_what_was_noted(tmp_path):
    spool = Spool(tmp_path, 2)
    spool.append(np.ones((5, 2), np.float32), np.arange(5))
    spool.keep(places={"a.csv": 50})
    spool.append(np.full((3, 2), 2, np.float32), np.arange(3))  # killed before it was noted
    again = Spool(tmp_path, 2)
    assert again.rows == 5
    assert again.note["places"] == {"a.csv": 50}
    again.append(np.full((1, 2), 3, np.float32), np.arange(1))
    assert again.values()[:, 0].tolist() == [1, 1, 1, 1, 1, 3]
    assert len(again.stamps()) == 6


def test_a_growing_folder_gives_each_whole_line_once(tmp_path):
    (tmp_path / "1.csv").write_text("time;b;x;a\n2026-01-01;1;9;2\n2026-01-02;3;9;")
    (tmp_path / "_half.parquet").write_bytes(b"PAR1")
    source = Files(tmp_path, CHANNELS)
    first = source.take()
    assert first.values.tolist() == [[2, 1]]
    assert first.times == ["2026-01-01"]
    assert source.take() is None
    with (tmp_path / "1.csv").open("a") as file:
        file.write("4\n2026-01-03;NA;9;inf\n")
    second = source.take()
    np.testing.assert_array_equal(second.values, [[4, 3], [np.nan, np.nan]])
    import pandas as pd

    pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "when": [1, 2]}).to_parquet(tmp_path / "2.parquet")
    third = source.take()
    assert third.values.tolist() == [[1, 3], [2, 4]]
    assert third.times is None
    assert source.take() is None
    assert Files(tmp_path, CHANNELS, known=source.places()).take() is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,b\n", 'x.csv lacks 1 of the 2 channels of the run: "a". Its columns: "time", "b".'),
        ("a,b\n1,zero\n", "x.csv, column \"b\": 'zero' is not a number."),
        ("a,b\n1,2,3\n", "x.csv: '1,2,3\\n' has 3 cells, the header 2."),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError) as error:
        Files(tmp_path / "x.csv", CHANNELS).take()
    assert str(error.value) == message


def test_a_hook_is_tried_again_and_never_waited_for(monkeypatch):
    monkeypatch.setattr(hooks, "FIRST_PAUSE", 0.01)
    got, tries, hold = [], [], threading.Event()

    def unsure(event):
        tries.append(event["id"])
        hold.wait(30)
        if len(tries) < 3:
            raise OSError("not now")
        got.append(event)

    some = hooks.Hooks([unsure])
    for number in range(5):
        some.tell({"id": number})  # returns though the hook hangs
    hold.set()
    some.close()
    assert tries == [0, 0, 0, 1, 2, 3, 4]
    assert [event["id"] for event in got] == [0, 1, 2, 3, 4]
    assert some.given_up == 0


def test_webhook_and_command_get_the_event_as_json(tmp_path):
    got = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.handle_request, daemon=True).start()
    hooks.web_hook(f"http://127.0.0.1:{server.server_port}/events")({"id": 1, "peak": 4.5})
    server.server_close()
    assert got == [{"id": 1, "peak": 4.5}]
    hooks.command_hook(f"tee '{tmp_path}/an event'")({"id": 2})
    assert json.loads((tmp_path / "an event").read_text()) == {"id": 2}
    for address in ("file:///etc/passwd", "ftp://x/y", "https://", "x"):
        with pytest.raises(InputError, match="is not a web address"):
            hooks.web_hook(address)
    with pytest.raises(InputError, match="--exec"):
        hooks.command_hook("'unclosed")


def test_watching_a_file_on_the_command_line_and_going_on_where_it_was(fitted, tmp_path, capsys):
    workspace, run = fitted
    values = wave(500, 3)
    values[300:310] += 7
    source, note = tmp_path / "grows.csv", tmp_path / "note"
    lines = ["a,b", *(",".join("" if np.isnan(v) else f"{v:.6f}" for v in row) for row in values)]
    source.write_text("\n".join(lines[:401]) + "\n")
    call = ["watch", run.name, str(source), "--once", "--workspace", str(workspace.path), "--exec", f"tee {note}"]
    assert main(call) == 0
    said = capsys.readouterr()
    assert "400 rows" in said.err
    assert "Event 1: rows " in said.out
    assert json.loads(note.read_text())["series"] == "grows live"
    source.write_text("\n".join(lines) + "\n")
    assert main(call) == 0
    assert "500 rows, " in capsys.readouterr().err
    series = workspace.open_series("grows live")
    np.testing.assert_allclose(series.values, values, atol=1e-5)
    detector = Detector.load(workspace.run_folder(run.id), "cpu")
    batch = detector.score(series.values)
    np.testing.assert_allclose(
        workspace.scores_columns(run.id, series.name).values[0], batch.score, rtol=1e-4, atol=1e-5
    )
    assert watches(workspace) == []  # ended, both times
    assert main([*call[:2], str(tmp_path / "none"), *call[3:]]) == 2
    assert main([*call, "--every", "x"]) == 2
    assert main([*call, "--webhook", "nowhere"]) == 2


def test_standard_input_is_watched_to_its_end(fitted, capsys, monkeypatch):
    import io

    workspace, run = fitted
    lines = [
        "ts,b,a",
        *(f"{1_700_000_000 + 60 * i},{b:.5f},{a:.5f}" for i, (a, b) in enumerate(np.nan_to_num(wave(300, 5)))),
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert main(["watch", run.id, "-", "--name", "piped", "--every", "0.05", "--workspace", str(workspace.path)]) == 0
    series = workspace.open_series("piped")
    assert series.rows == 300
    assert str(series.time[1] - series.time[0]) == "0 days 00:01:00"
    assert "300 rows" in capsys.readouterr().err


def test_labels_stay_on_their_rows_when_the_series_grows(fitted):
    from sqlalchemy import text

    from amad.workspace.growing import grow

    workspace, run = fitted
    record = workspace.add_series(Series("grows", np.zeros((50, 2), np.float32), CHANNELS))
    with workspace.database.writing() as session:
        session.execute(
            text(
                "INSERT INTO incidents (id, series_id, series_rows, start_row, end_row, type_id, channels, status, note, "
                "layer, author, created, changed, changed_by, version, deleted) VALUES ('1', :series, 50, 3, 9, 't1', "
                "'[]', 'open', '', 'x', 'me', '2026-01-01', '2026-01-01', 'me', 1, 0)"
            ),
            {"series": record.id},
        )
    longer = Series("grows", np.ones((80, 2), np.float32), CHANNELS)
    grown = grow(workspace, record, longer, run.id, ("score",), np.zeros((80, 1), np.float32), "grows")
    with workspace.database.reading() as session:
        kept = session.execute(text("SELECT series_rows, start_row, end_row FROM incidents WHERE id = '1'")).all()
    assert kept == [(80, 3, 9)]
    assert (grown.rows, workspace.open_series(record.id).rows) == (80, 80)
