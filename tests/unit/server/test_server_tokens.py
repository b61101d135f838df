"""Tokens: what was minted is verified, everything else is refused with a sentence."""

import time
from types import SimpleNamespace

import pytest
from itsdangerous import URLSafeTimedSerializer

from app.server import tokens

STORE = SimpleNamespace(secret=b"0123456789abcdef0123456789abcdef")


def test_a_minted_token_grants_its_series_and_runs() -> None:
    grant = tokens.verify(STORE, tokens.mint(STORE, "s1", ["r2", "r1", None]))
    assert grant == tokens.Grant("s1", ("r1", "r2"))


def test_a_rerun_gets_the_same_token_so_that_nothing_new_is_sent() -> None:
    assert tokens.mint(STORE, "s1", ["r1"]) == tokens.mint(STORE, "s1", ["r1"])


def test_a_token_of_another_workspace_is_refused() -> None:
    other = SimpleNamespace(secret=b"another secret of the same length")
    with pytest.raises(tokens.TokenError, match=r"^The token is not one of this workspace\. Reload the page\.$"):
        tokens.verify(STORE, tokens.mint(other, "s1"))


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_said_so(token: str | None) -> None:
    with pytest.raises(tokens.TokenError, match=r"^No token was sent\. Reload the page\.$"):
        tokens.verify(STORE, token)


def test_every_changed_letter_is_noticed() -> None:
    token = tokens.mint(STORE, "s1", ["r1"])
    for place in range(len(token) - 1):  # the last letter of base64 holds bits that mean nothing
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(tokens.TokenError):
            tokens.verify(STORE, changed)


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.mint(STORE, "s1", hours=2)
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 1.9 * 3600)
    assert tokens.verify(STORE, token).series == "s1"
    monkeypatch.setattr(tokens.time, "time", lambda: now + 2.1 * 3600)
    with pytest.raises(tokens.TokenError, match=r"^The token is too old\. Reload the page\.$"):
        tokens.verify(STORE, token)


def test_a_signed_payload_of_another_kind_is_refused() -> None:
    signed = URLSafeTimedSerializer(STORE.secret, salt="amad.data.1").dumps(["no", "mapping"])
    with pytest.raises(tokens.TokenError, match="not one of this workspace"):
        tokens.verify(STORE, signed)


@pytest.mark.parametrize("hours", [0, 169])
def test_hours_are_bounded(hours: int) -> None:
    with pytest.raises(ValueError, match=f"^A token lasts 1 to 168 hours, not {hours}\\.$"):
        tokens.mint(STORE, "s1", hours=hours)
