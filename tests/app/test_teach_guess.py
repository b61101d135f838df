"""The class takes part: a presenter opens a room on chapter 7, the page hides the answer, and reveals it with the guesses."""

import json
import random
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.parts import teach_guess, teach_inject
from app.parts.teach_river import river
from app.server.guesses import ROOMS

Open = Callable[..., AppTest]


def told(page: AppTest) -> str:
    kinds = ("markdown", "caption", "subheader", "error")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind))


def pressed(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


@pytest.fixture
def page(open_page: Open) -> AppTest:
    return open_page("teach", chapter="7 Inject", kind="Level shift")


def test_an_open_room_hides_the_answer_and_the_reveal_tells_it(page: AppTest) -> None:
    pressed(page, "Open this anomaly to guesses")
    room = ROOMS.of(page.session_state[teach_guess.KEY])
    assert room is not None
    assert "Level shift in rows" not in told(page)
    assert not page.slider
    (chart,) = page.get("plotly_chart")
    assert [trace["name"] for trace in json.loads(chart.proto.spec)["data"]] == list(room.names)
    assert any(room.code in one.value for one in page.code)
    assert "0 guesses" in told(page)
    start, stop = teach_inject.FIRST
    ROOMS.guess(room, {"who": "browser-1", "name": "<b>Ann</b>", "start": start, "stop": stop})
    ROOMS.guess(room, {"who": "browser-2", "name": "", "start": 0, "stop": 20})
    pressed(page, "Reveal")
    words = told(page)
    assert "1 of 2 guesses" in words
    assert "Level shift in rows 21,760 to 21,824" in words
    assert list(page.dataframe[0].value["Name"]) == ["<b>Ann</b>", "–"]
    assert list(page.dataframe[0].value["Hit"]) == [1.0, 0.0]
    (chart,) = page.get("plotly_chart")
    assert {"guesses", "score"} <= {trace["name"] for trace in json.loads(chart.proto.spec)["data"]}
    pressed(page, "Close the room")
    assert ROOMS.of(room.key) is None
    assert page.slider(key=teach_inject.SPAN).value == (21760, 21824)
    assert "Level shift: the score reaches" in told(page)


def test_a_room_is_there_again_from_the_presenters_address_and_only_from_it(page: AppTest, open_page: Open) -> None:
    pressed(page, "Open a surprise")
    room = ROOMS.of(page.session_state[teach_guess.KEY])
    assert room is not None
    again = open_page("teach", chapter="7 Inject", room=room.key)
    assert any(button.label == "Reveal" for button in again.button)
    other = open_page("teach", chapter="7 Inject", room=room.code)
    assert not any(button.label == "Reveal" for button in other.button)
    ROOMS.close(room)


def test_an_address_that_cannot_be_listened_on_is_told(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAD_CLASS_ADDRESS", "nowhere")
    pressed(page, "Open a surprise")
    assert "such as 0.0.0.0:8600" in told(page)
    assert teach_guess.KEY not in page.session_state


def test_surprises_fit_the_rows_and_change_them() -> None:
    for seed in range(20):
        state = teach_guess.surprise(random.Random(seed))
        start, stop = state[teach_inject.SPAN]
        assert 0 < start < stop < teach_inject.ROWS[1] - teach_inject.ROWS[0]
        assert len(state[teach_inject.CHANNELS]) == 2
        assert all(0 <= place < len(river().channels) for place in state[teach_inject.CHANNELS])


def test_the_code_holds_the_link() -> None:
    import segno

    link = "http://192.0.2.7:8600/amad/guess/abcdefgh"
    assert teach_guess.code(link).startswith(b"\x89PNG")
    assert segno.make(link, error="m").version <= 4  # coarse enough for a projector
