"""What is configured for signing in, and that the app does not start where it cannot work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from amad.errors import ConfigError
from amad.workspace.access import Role
from app.server import signing
from app.server.exposure import verdict

MAIN = Path(__file__).resolve().parents[3] / "app" / "main.py"
WHOLE = dict.fromkeys(("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"), "x")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (signing.AUTH, signing.ALLOWED, signing.GROUPS, signing.HOURS):
        monkeypatch.delenv(name, raising=False)


def test_nobody_signs_in_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signing.signing() is None
    monkeypatch.setenv(signing.ALLOWED, "ann@x.example=admin")
    assert signing.signing() is None


def test_what_is_set_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.AUTH, "oidc")
    monkeypatch.setenv(signing.ALLOWED, "ann@x.example=admin")
    found = signing.signing()
    assert found is not None
    assert (found.groups, found.hours) == ("groups", 12.0)
    assert found.allowed.role_of("ann@x.example") is Role.ADMIN
    monkeypatch.setenv(signing.HOURS, "0.5")
    monkeypatch.setenv(signing.GROUPS, "roles")
    found = signing.signing()
    assert found is not None
    assert (found.groups, found.hours) == ("roles", 0.5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({signing.AUTH: "basic"}, signing.AUTH),
        ({signing.AUTH: "oidc"}, signing.ALLOWED),
        ({signing.AUTH: "oidc", signing.ALLOWED: "everybody"}, signing.ALLOWED),
        ({signing.AUTH: "oidc", signing.ALLOWED: "a@x.example", signing.HOURS: "nan"}, signing.HOURS),
        ({signing.AUTH: "oidc", signing.ALLOWED: "a@x.example", signing.HOURS: "0"}, signing.HOURS),
        ({signing.AUTH: "oidc", signing.ALLOWED: "a@x.example", signing.HOURS: "long"}, signing.HOURS),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=named):
        signing.signing()


def test_secrets_must_be_whole() -> None:
    assert signing.lacking({"auth": WHOLE}) == ""
    assert "client_secret in the section [auth]" in signing.lacking({"auth": {**WHOLE, "client_secret": ""}})
    assert "redirect_uri, cookie_secret" in signing.lacking({})


def test_an_app_that_signs_in_may_be_reached_by_others() -> None:
    assert verdict("0.0.0.0", {}, signs_in=True) == (True, "")


def test_the_app_does_not_start_without_what_signing_in_needs(tmp_path: Path) -> None:
    environment = {**os.environ, "AMAD_WORKSPACE": str(tmp_path / "workspace"), signing.AUTH: "oidc"}
    command = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", "0"]
    for more, said in (
        ({}, "AMAD_ALLOWED says who may sign in"),
        ({signing.ALLOWED: "a@x.example"}, "needs redirect_uri"),
    ):
        found = subprocess.run(
            command, env={**environment, **more}, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert found.returncode == 2
        assert said in found.stderr
        assert "Traceback" not in found.stderr
