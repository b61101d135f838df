"""Signing in, as it is configured: off, or by OpenID Connect (Streamlit's own) with a list of who may come in as what."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from amad.errors import ConfigError
from amad.workspace.access import Allowed

AUTH, ALLOWED, GROUPS, HOURS = "AMAD_AUTH", "AMAD_ALLOWED", "AMAD_GROUPS_CLAIM", "AMAD_SESSION_HOURS"
USUAL_HOURS = 12.0
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")


@dataclass(frozen=True)
class Signing:
    """Who may come in, the claim that names a person's groups, and how long a session lasts."""

    allowed: Allowed
    groups: str
    hours: float


def signing() -> Signing | None:
    """What is configured; None where nobody has to sign in. Errors: ConfigError for settings that cannot be used."""
    return _read(*(os.environ.get(name, "") for name in (AUTH, ALLOWED, GROUPS, HOURS)))


@lru_cache(maxsize=8)
def _read(auth: str, allowed: str, groups: str, hours: str) -> Signing | None:
    if not auth or auth == "none":
        return None
    if auth != "oidc":
        raise ConfigError(f"{AUTH} is {auth!r}. Set it to oidc, or unset it for an app on this machine alone.")
    try:
        length = float(hours or USUAL_HOURS)
    except ValueError:
        length = math.nan
    if not 0 < length <= 24 * 30:
        raise ConfigError(f"{HOURS} is {hours!r}. Give a number of hours, up to 720.")
    try:
        return Signing(Allowed.parse(allowed), groups or "groups", length)
    except ConfigError as error:
        raise ConfigError(
            f"{ALLOWED} says who may sign in, and as what. {error} "
            f'Write for example {ALLOWED}="ann@example.org=admin, *@example.org=viewer, group:plant=analyst".'
        ) from error


def lacking(secrets: Mapping[str, Any]) -> str:
    """What the secrets of Streamlit lack for signing in; "" where they are whole."""
    try:
        section = secrets.get("auth") or {}
    except FileNotFoundError:  # Streamlit's word for no file of secrets at all
        section = {}
    missing = [name for name in _NEEDED if not section.get(name)]
    if not missing:
        return ""
    return (
        f"{AUTH}=oidc needs {', '.join(missing)} in the section [auth] of .streamlit/secrets.toml "
        "(docs/server.md has an example)."
    )


def package_missing() -> str:
    """What to install where signing in cannot work; "" where all is there."""
    from importlib.util import find_spec

    if find_spec("authlib") and find_spec("httpx"):
        return ""
    return f'{AUTH}=oidc needs two packages more. Install them with: pip install "amad[oidc]"'
