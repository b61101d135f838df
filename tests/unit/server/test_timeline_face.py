"""The Python face: a view passed late is not an order, a new one is; data from the browser is not trusted."""

import json
from typing import Any

import pytest

from amad.plots.palette import COLORS
from app.components.timeline import _obey, _told
from app.components.timeline.passing import event, incident, packed_events, packed_incidents, packed_spans, pair

ROWS = 1000


@pytest.fixture
def memory() -> dict[str, Any]:
    return {"series": "s", "passed": (None, None), "command": None, "told": False, "nonce": 1}


def run(memory: dict[str, Any], view: tuple[int, int] | None, state: Any = None, nonce: Any = None) -> Any:
    """One run of a page: passes a view while the component's state is `state`; gives the view that holds."""
    _obey(memory, view, nonce, state, ROWS)
    return _told(memory, state, ROWS)


def test_the_first_view_passed_is_an_order(memory: dict[str, Any]) -> None:
    assert run(memory, (10, 20)) == (10, 20)
    assert memory["nonce"] == 2


def test_a_server_that_was_started_again_learns_the_view_from_the_browser(memory: dict[str, Any]) -> None:
    # The address is all that the new session knows; the browser does not obey that, and tells where it is.
    assert run(memory, (10, 20)) == (10, 20)
    assert run(memory, (10, 20), [300, 600, memory["nonce"]]) == (300, 600)
    assert run(memory, (300, 600), [300, 600, memory["nonce"]]) == (300, 600)
    assert memory["nonce"] == 2


def test_no_view_passed_leaves_the_view_to_the_user(memory: dict[str, Any]) -> None:
    assert run(memory, None) is None
    assert run(memory, None, [5, 50, 1]) == (5, 50)
    assert memory["nonce"] == 1


def test_what_the_user_did_comes_back_as_no_order(memory: dict[str, Any]) -> None:
    run(memory, (10, 20))
    state = [30, 60, 2]
    assert run(memory, (10, 20), state) == (30, 60)  # the page has not read the new view yet
    assert run(memory, (30, 60), state) == (30, 60)  # now it passes it back
    assert memory["nonce"] == 2


def test_an_order_after_the_users_own_moves_is_obeyed(memory: dict[str, Any]) -> None:
    run(memory, (10, 20))
    run(memory, (30, 60), [30, 60, 2])
    assert run(memory, (10, 20), [30, 60, 2]) == (10, 20)
    assert memory["nonce"] == 3


def test_a_view_kept_one_run_late_does_not_pull_the_view_from_the_hand(memory: dict[str, Any]) -> None:
    # The page reads what it kept before it draws: in the run that tells the second move it passes the first one.
    run(memory, None)
    run(memory, None, [10, 50, 1])
    assert run(memory, (10, 50), [30, 60, 1]) == (30, 60)
    assert run(memory, (30, 60), [35, 60, 1]) == (35, 60)
    assert memory["nonce"] == 1


def test_going_back_to_where_the_user_was_before_an_order_is_the_users_move(memory: dict[str, Any]) -> None:
    run(memory, None, [30, 60, 1])
    assert run(memory, (10, 20), [30, 60, 1]) == (10, 20)
    assert run(memory, (10, 20), [30, 60, 2]) == (30, 60)


def test_the_same_view_is_an_order_again_with_a_new_nonce(memory: dict[str, Any]) -> None:
    run(memory, (10, 20), nonce="a")
    assert run(memory, (10, 20), [30, 60, 2], nonce="a") == (30, 60)
    assert run(memory, (10, 20), [30, 60, 2], nonce="b") == (10, 20)


def test_after_another_page_the_view_is_ordered_anew(memory: dict[str, Any]) -> None:
    run(memory, (10, 20))
    run(memory, (30, 60), [30, 60, 2])
    assert run(memory, (30, 60), None) == (30, 60)
    assert memory["command"] == (30, 60)


@pytest.mark.parametrize(
    "span", [None, "ab", [1], [5, 5], [9, 2], ["x", 3], [float("nan"), 3], [float("inf"), 3], 7, {}]
)
def test_a_span_that_is_none_is_left_out(span: Any) -> None:
    assert pair(span, ROWS) is None


def test_a_span_is_cut_to_the_series() -> None:
    assert pair([-20.4, 1e9], ROWS) == (0, 1000)


def test_marks_become_plain_values() -> None:
    import numpy as np

    made = event({"id": np.int64(3), "start": np.int64(5), "end": np.int32(9), "severity": np.float32(2.5)})
    assert made == {"id": 3, "start": 5, "end": 9, "severity": 2.5, "channels": [], "decision": None, "listed": True}
    assert all(type(value) in (int, float) for value in list(made.values())[:4])
    known = incident({"id": "x", "start": 1, "end": 2, "type": "Drift"}, "dark", COLORS["dark"])
    assert (known["code"], known["pattern"], known["color"]) == ("DR", "dots", "#66DAFC")
    unknown = incident({"id": "x", "start": 1, "end": 2, "type": "Leak"}, "light", COLORS["light"])
    assert (unknown["type"], unknown["code"], unknown["pattern"]) == ("Leak", "OT", "mesh")


def test_bands_of_every_kind_have_a_look_and_keep_what_is_known_of_them() -> None:
    given = {"id": 1, "start": 5, "end": 9, "author": "Ann", "channels": ("a", "b"), "inner": (6, 8)}
    made = incident({**given, "kind": "maintenance"}, "light", COLORS["light"])
    assert (made["type"], made["pattern"], made["color"]) == ("Maintenance", "hatch", COLORS["light"]["maintenance"])
    assert (made["author"], made["channels"], made["inner"]) == ("Ann", ["a", "b"], [6, 8])
    assert incident({**given, "kind": "disagreement"}, "light", COLORS["light"])["code"] == "\u2260"
    assert incident({**given, "kind": "<b>"}, "light", COLORS["light"])["kind"] == "incident"


def test_packed_marks_hold_what_each_mark_holds() -> None:
    given = [
        {"id": "a", "start": 1, "end": 4, "type": "Drift", "author": "Ada"},
        {"id": "b", "start": 9, "end": 12, "type": "Drift", "author": "Ada", "inner": (10, 11)},
        {"id": "c", "start": 2, "end": 3, "kind": "maintenance"},
    ]

    def unfolded(text: str) -> list[dict[str, Any]]:
        found = json.loads(text)
        return [
            {**found["kinds"][kind], **{name: values[place] for name, values in found["own"].items()}}
            for place, kind in enumerate(found["of"])
        ]

    colors = COLORS["dark"]
    assert unfolded(packed_incidents(given, "dark", colors).text) == [incident(one, "dark", colors) for one in given]
    assert len(json.loads(packed_incidents(given, "dark", colors).text)["kinds"]) == 2
    events = [{"id": n, "start": n, "end": n + 1, "severity": n / 2, "decision": "rejected"} for n in range(3)]
    assert unfolded(packed_events(events).text) == [event(one) for one in events]
    assert packed_spans([(1, 4), (8, 3), (-2, 99)], 10).text == "1,4,0,10"
    assert packed_spans([], 10).text == ""
