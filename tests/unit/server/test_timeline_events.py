"""The events of a dragged threshold: those of the library, for those who may see them, and nothing for a bad question."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from serving import Served

from amad.detection import find_events
from amad.workspace.masks import unscored
from app.components.timeline import events


def ask(served: Served, token: str | None = None, **changes: Any) -> Any:
    query = {
        "series": served.series.id, "run": served.run.id, "score": "score", "threshold": 0.5, "gap": 2, "least": 1,
        "severity": 0, **changes,
    }  # fmt: skip
    headers = {"x-amad-token": served.token() if token is None else token}
    return served.client.get("/amad/timeline/events", params=query, headers=headers)


def decode(body: bytes) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    length = struct.unpack_from("<I", body)[0]
    header = json.loads(body[4 : 4 + length])
    place = -(-(4 + length) // 8) * 8
    size = -(-4 * header["count"] // 8) * 8
    starts, ends = (np.frombuffer(body, "<i4", header["count"], place + at * size).tolist() for at in (0, 1))
    return header, list(zip(starts, ends, strict=True))


@pytest.mark.parametrize("threshold", [-1.0, 0.1, 0.5, 0.9, 1e9])
def test_the_answer_is_what_the_library_finds(served: Served, threshold: float) -> None:
    score = served.store.scores_columns(served.run.id, served.series.id)
    values = score.values[score.names.index("score")]
    header, found = decode(ask(served, threshold=threshold).content)
    assert found == [(e.start_row, e.end_row) for e in find_events(values, threshold, merge_gap=2)]
    assert header["count"] == len(found)


def test_rows_that_maintenance_leaves_out_of_scoring_make_no_event(served: Served) -> None:
    score = served.store.scores_columns(served.run.id, served.series.id)
    values = score.values[score.names.index("score")]
    desk = served.store.incidents(served.series.id, "Ada")
    made = desk.add_window("w", rows=(0, 20), training=False, scoring=True, alarms=False)
    left = unscored(values, ((0, 20),))
    _, found = decode(ask(served).content)
    assert found == [(e.start_row, e.end_row) for e in find_events(left, 0.5, merge_gap=2)]
    assert all(start >= 20 for start, _ in found)
    desk.remove_window(made.id)


def test_very_many_events_are_only_counted(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_EVENTS", 0)
    body = ask(served, threshold=-1.0).content
    header = json.loads(body[4 : 4 + struct.unpack_from("<I", body)[0]])
    assert header == {"count": 1, "told": False}


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"score": "c0"}, 400), ({"threshold": "nan"}, 400), ({"threshold": "x"}, 400), ({"gap": "-1"}, 400),
     ({"least": "0"}, 400), ({"run": ""}, 400), ({"series": "../x"}, 400), ({"score": "shape"}, 404),
     ({"run": "other"}, 403), ({"series": "other"}, 403)],
)  # fmt: skip
def test_bad_questions_are_refused(served: Served, changes: dict[str, Any], status: int) -> None:
    found = ask(served, **changes)
    assert found.status_code == status
    assert found.json()["error"]


def test_nothing_without_a_token(served: Served) -> None:
    assert ask(served, token="forged").status_code == 403
