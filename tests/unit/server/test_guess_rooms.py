"""Rooms of guesses: what the class may see and send, how much is kept and how long, and what its own server serves."""

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from amad.errors import InputError
from app.server import classroom, guesses, guessing
from app.server.guesses import HOURS, MOST_GUESSES, MOST_ROOMS, NAME_LENGTH, ROOMS, Guess, Room, Rooms, tidy
from app.server.headers import middleware
from app.server.modules import module_url

ROWS = 50
SECRET = "Level shift, hidden"


@pytest.fixture
def room() -> Iterator[Room]:
    values = np.arange(2 * ROWS, dtype=np.float32).reshape(ROWS, 2)
    values[3, 0] = np.nan
    made = ROOMS.open(["</script><b>flow</b>", "temp"], values, 1000, {"kind": SECRET})
    yield made
    ROOMS.close(made)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=guessing.routes(), middleware=middleware())) as found:
        yield found


def sent(start: int = 5, stop: int = 9, who: str = "browser-1", name: str = "Ann") -> dict:
    return {"who": who, "name": name, "start": start, "stop": stop}


def test_the_page_shows_the_signals_and_never_the_answer(client: TestClient, room: Room) -> None:
    answer = client.get(f"/amad/guess/{room.code}")
    assert answer.status_code == 200
    assert SECRET not in answer.text
    assert room.key not in answer.text
    assert "<b>flow" not in answer.text
    told = re.search(r'<script type="application/json" id="signal">(.*?)</script>', answer.text)
    assert told is not None
    signal = json.loads(told[1])
    assert signal["values"][0][:5] == [0, 2, 4, None, 8]
    assert signal["names"] == ["</script><b>flow</b>", "temp"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_guess_is_counted_and_a_later_one_of_the_same_browser_replaces_it(client: TestClient, room: Room) -> None:
    address = f"/amad/guess/{room.code}"
    assert client.post(address, json=sent()).json() == {"count": 1}
    assert client.post(address, json=sent(7, 20)).json() == {"count": 1}
    assert client.post(address, json=sent(who="browser-2", name="Bo")).json() == {"count": 2}
    assert ROOMS.told(room) == [Guess("Ann", 7, 20), Guess("Bo", 5, 9)]
    ROOMS.reveal(room)
    answer = client.post(address, json=sent(0, 1))
    assert (answer.status_code, "no more guesses" in answer.json()["error"]) == (409, True)
    assert ROOMS.told(room)[0] == Guess("Ann", 7, 20)


@pytest.mark.parametrize(
    "wrong",
    [sent(9, 5), sent(5, 5), sent(-1, 4), sent(5, ROWS + 1), sent(who="x"), sent(who="../../etc"), {**sent(), "start": 1.5},
     {**sent(), "start": True}, {}, [], "text", None, {**sent(), "who": 7}],
)  # fmt: skip
def test_what_is_no_guess_is_refused_with_words(client: TestClient, room: Room, wrong: object) -> None:
    answer = client.post(f"/amad/guess/{room.code}", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert ROOMS.told(room) == []


def test_long_bodies_other_types_and_broken_json_are_refused(client: TestClient, room: Room) -> None:
    address, kind = f"/amad/guess/{room.code}", {"content-type": "application/json"}
    assert client.post(address, content=b" " * (guessing.MOST_BYTES + 1), headers=kind).status_code == 413
    assert client.post(address, content=b"{", headers=kind).status_code == 400
    assert client.post(address, content=b"[" * 1500, headers=kind).status_code == 400
    assert client.post(address, data=sent()).status_code == 400  # a form of another site


def test_a_room_that_is_not_there_says_so(client: TestClient) -> None:
    assert "Ask the presenter" in client.get("/amad/guess/nothing").text
    assert client.get("/amad/guess/nothing").status_code == 404
    assert client.post("/amad/guess/nothing", json=sent()).status_code == 404


def test_rooms_and_guesses_are_bounded_and_forgotten() -> None:
    rooms = Rooms()
    made = [rooms.open(["a"], np.zeros((9, 1)), 0, {}, now=float(at)) for at in range(MOST_ROOMS + 1)]
    assert rooms.find(made[0].code, now=30.0) is None  # the oldest gave way
    last = made[-1]
    assert rooms.find(last.code, now=30.0) is last
    for at in range(MOST_GUESSES):
        rooms.guess(last, sent(0, 3, f"browser-{at}"))
    with pytest.raises(InputError, match="takes no more"):
        rooms.guess(last, sent(0, 3, "one-too-many"))
    assert rooms.guess(last, sent(1, 2, "browser-0")) == MOST_GUESSES
    assert rooms.find(last.code, now=last.opened + 3600 * HOURS + 1) is None


def test_only_the_key_opens_the_presenters_side(room: Room) -> None:
    assert ROOMS.of(room.key) is room
    assert ROOMS.of(room.code) is None
    assert ROOMS.of("") is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  Ann \n B ", "Ann B"), ("a\u202eb\x00c", "abc"), ("<b>x</b>", "<b>x</b>"), ("n" * 90, "n" * NAME_LENGTH), (7, ""), (None, "")],
)  # fmt: skip
def test_a_name_is_one_short_line_of_text(given: object, kept: str) -> None:
    assert tidy(given) == kept


def test_the_class_server_has_rooms_and_their_script_and_nothing_else(room: Room) -> None:
    with TestClient(classroom.application()) as client:
        assert client.get(f"/amad/guess/{room.code}").status_code == 200
        assert client.get(module_url("guess", "guess.js")).status_code == 200
        for path in ("/", "/amad/health", module_url("timeline"), "/amad/timeline/data", "/_stcore/health"):
            assert client.get(path).status_code == 404


def test_others_reach_rooms_only_where_the_operator_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert classroom.allowed({}) is None
    assert classroom.served({}) is None
    assert classroom.allowed({classroom.ADDRESS: "0.0.0.0:8600"}) == ("0.0.0.0", 8600)
    assert classroom.allowed({classroom.ADDRESS: "[::1]:8600"}) == ("::1", 8600)
    for wrong in ("8600", "host:", ":80", "host:port", "host:70000"):
        with pytest.raises(InputError, match="Give host:port"):
            classroom.allowed({classroom.ADDRESS: wrong})


def test_the_class_server_answers_where_it_listens(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    monkeypatch.setattr(classroom, "_port", None)
    address = classroom.served({classroom.ADDRESS: "127.0.0.1:0"})
    assert address is not None
    assert classroom.served({classroom.ADDRESS: "127.0.0.1:0"}) == address  # started once
    with urllib.request.urlopen(f"{address}/amad/guess/{room.code}", timeout=30) as answer:
        assert b"Where is the anomaly?" in answer.read()
    taken = int(address.rsplit(":", 1)[1])
    monkeypatch.setattr(classroom, "_port", None)
    with pytest.raises(InputError, match="cannot be listened on"):
        classroom.served({classroom.ADDRESS: f"127.0.0.1:{taken}"})


def test_codes_are_not_guessable_and_easy_to_read() -> None:
    codes = {guesses.ROOMS.open(["a"], np.zeros((3, 1)), 0, {}).code for _ in range(5)}
    assert len(codes) == 5
    assert all(re.fullmatch(r"[a-z2-9]{8}", code) and not set(code) & set("ilo") for code in codes)
    for code in codes:
        found = ROOMS.find(code)
        assert found is not None
        ROOMS.close(found)
