"""Lines of the log: one object a record with its ids, one line of text, and never a password, token or cookie."""

import json
import os
import subprocess
import sys
import threading

import pytest

from amad import logs
from amad.errors import ConfigError

PROGRAM = """
import logging, sys, threading
from amad import logs
logs.setup()
log = logging.getLogger("amad.jobs")
log.debug("not told")
with logs.about(run="ab12", series="cd34", user="Ann"):
    log.info('run "%s": started', "two\\nlines \\x1b[31m")
    try:
        raise OSError("postgresql://amad:hunter2hunter2@database/amad does not answer")
    except OSError:
        log.exception("a fault")
log.warning("afterwards")
def broken():
    raise RuntimeError("in a thread")
thread = threading.Thread(target=broken)
thread.start(); thread.join()
raise RuntimeError("at the end")
"""


def said(form: str) -> str:
    """What the program above writes on standard error."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "AMAD_LOG": form},
        check=False,
    )
    assert found.returncode == 1
    return found.stderr


def test_json_is_one_object_a_record_with_its_ids_and_trace() -> None:
    lines = [json.loads(line) for line in said("json").splitlines()]
    assert [line["message"] for line in lines] == [
        'run "two\nlines \x1b[31m": started', "a fault", "afterwards",
        "an error ended this thread or process", "an error ended this thread or process",
    ]  # fmt: skip
    assert [line["level"] for line in lines] == ["info", "error", "warning", "critical", "critical"]
    assert {key: lines[0][key] for key in ("logger", "run", "series", "user")} == {
        "logger": "amad.jobs", "run": "ab12", "series": "cd34", "user": "Ann",
    }  # fmt: skip
    assert lines[0]["time"].endswith("Z")
    assert lines[1]["trace"].endswith("OSError: postgresql://amad:***@database/amad does not answer")
    assert set(lines[2]) == {"time", "level", "logger", "message"}
    assert "RuntimeError: in a thread" in lines[3]["trace"]
    assert "RuntimeError: at the end" in lines[4]["trace"]


def test_text_is_one_line_a_record_whatever_a_name_holds() -> None:
    lines = said("text").splitlines()
    assert lines[0].endswith(
        'run "two\N{REPLACEMENT CHARACTER}lines \N{REPLACEMENT CHARACTER}[31m": started [run ab12, series cd34, user Ann]'
    )
    assert lines[1].endswith("error: a fault [run ab12, series cd34, user Ann]")
    assert lines[2] == "Traceback (most recent call last):"
    assert "hunter2" not in "".join(lines)
    assert any(line.endswith("warning: afterwards") for line in lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "postgresql+psycopg://amad:p@ss/w:rd@database/amad is away",
            "postgresql+psycopg://amad:***@database/amad is away",
        ),
        ("Authorization: Bearer abcdef123456", "Authorization: ***"),
        ("sent bearer abcdef123456, refused", "sent Bearer ***, refused".replace("Bearer", "bearer")),
        ("Cookie: _streamlit_user=abc; session=def", "Cookie: ***"),
        ("{'set-cookie': 'a=b; c=d'}", "{'set-cookie': ***"),
        ("client_secret=s3cr3t&code=4", "client_secret=***&code=4"),
        ('password: "two words" user: x', "password: *** user: x"),
        ("AMAD_METRICS_TOKEN=abcdefgh12345678", "AMAD_METRICS_TOKEN=***"),
        ("x-amad-token: eyJzIjoiYWIxMiJ9.aScdEf.0123456789abcdefghij", "x-amad-token: ***"),
        ("took eyJzIjoiYWIxMiJ9.aScdEf.0123456789abcdefghij away", "took *** away"),
        ("what stands in the environment: swordfish!", "what stands in the environment: ***"),
        ("see https://host:8080/path and token is too old", "see https://host:8080/path and token is too old"),
        ('series "pump": added (pump.csv)', 'series "pump": added (pump.csv)'),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    environment = {"POSTGRES_PASSWORD": "swordfish!", "AMAD_METRICS_TOKEN": "", "SOME_KEY": "the"}
    assert logs.hidden(text, environment) == shown


def test_a_token_of_a_page_is_never_shown(tmp_path) -> None:
    from amad.workspace import Workspace
    from app.server import tokens

    store = Workspace.open(tmp_path / "ws")
    for token in (tokens.mint(store, "ab12", [f"{n:08x}" for n in range(40)]), tokens.mint_upload(store, "me")):
        assert token[-20:] not in logs.hidden(f"refused {token} today")
    store.close()


def test_what_is_neither_text_nor_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAD_LOG", "xml")
    with pytest.raises(ConfigError, match=r"AMAD_LOG is 'xml'\. Set it to text or json, or unset it\."):
        logs.setup()


def test_ids_are_those_of_their_own_thread_and_block() -> None:
    seen: list[str] = []

    def other() -> None:
        seen.append(logs.line("x", logger="amad"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAD_LOG", "json")
        with logs.about(run="ab12"):
            with logs.about(series="cd34", user=None):
                inside = json.loads(logs.line("x", logger="amad"))
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        outside = json.loads(logs.line("x", logger="amad"))
    assert (inside["run"], inside["series"], "user" in inside) == ("ab12", "cd34", False)
    assert "run" not in json.loads(seen[0])
    assert "run" not in outside
