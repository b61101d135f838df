"""Signed tokens: a page says what its user may see, a route answers nothing without such a word."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

_SALT = "amad.data.1"
_UPLOADS = "amad.uploads.1"
_JOBS = "amad.jobs.1"
_LONGEST_HOURS = 24 * 7


@dataclass(frozen=True)
class Grant:
    """What a token allows: one series and some of its runs."""

    series: str
    runs: tuple[str, ...]


class TokenError(Exception):
    """The token is missing, forged, or too old; the message may be shown."""


def mint(workspace: Any, series_id: str, run_ids: Iterable[str | None] = (), hours: int = 12) -> str:
    """A token for one series and some runs of this workspace, valid for `hours` (1 to 168).

    The same token is given for an hour, so that a rerun of the page sends the browser nothing new; it lasts `hours`
    from its first minting, at least one hour less from now. It stays valid over a restart: the secret is the workspace's.
    """
    if not 1 <= hours <= _LONGEST_HOURS:
        raise ValueError(f"A token lasts 1 to {_LONGEST_HOURS} hours, not {hours}.")
    runs = tuple(sorted({str(run) for run in run_ids if run}))
    return _minted(bytes(workspace.secret), _SALT, (("s", str(series_id)), ("r", runs), ("h", hours)), _hour())


def verify(workspace: Any, token: str | None) -> Grant:
    """What this token allows, or TokenError."""
    payload = _loaded(workspace, token, _SALT)
    try:
        return Grant(str(payload["s"]), tuple(str(run) for run in payload["r"]))
    except (KeyError, TypeError) as error:
        raise _strange() from error


def mint_upload(workspace: Any, owner: str, hours: int = 12) -> str:
    """A token with which a session, known as `owner`, may send files and see its own; as long and as often as `mint`."""
    return _minted(bytes(workspace.secret), _UPLOADS, (("o", owner), ("h", hours)), _hour())


def verify_upload(workspace: Any, token: str | None) -> str:
    """The owner whose files this token opens, or TokenError."""
    try:
        return str(_loaded(workspace, token, _UPLOADS)["o"])
    except (KeyError, TypeError) as error:
        raise _strange() from error


def mint_jobs(workspace: Any, hours: int = 12) -> str:
    """A token for the names and the progress of jobs; as long and as often as `mint`."""
    return _minted(bytes(workspace.secret), _JOBS, (("h", hours),), _hour())


def verify_jobs(workspace: Any, token: str | None) -> None:
    """Errors: TokenError for a token that does not open the progress of jobs."""
    _loaded(workspace, token, _JOBS)


def _loaded(workspace: Any, token: str | None, salt: str) -> dict[str, Any]:
    """What was signed for this use, where it is not too old."""
    if not token:
        raise TokenError("No token was sent. Reload the page.")
    try:
        payload, signed = _serializer(bytes(workspace.secret), salt).loads(token, return_timestamp=True)
        hours = int(payload["h"])
    except (BadData, KeyError, TypeError, ValueError) as error:
        raise _strange() from error
    if time.time() - signed.timestamp() > hours * 3600:
        raise TokenError("The token is too old. Reload the page.")
    return dict(payload)


def _strange() -> TokenError:
    return TokenError("The token is not one of this workspace. Reload the page.")


def _serializer(secret: bytes, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=salt)


def _hour() -> int:
    return int(time.time() // 3600)


@lru_cache(maxsize=1024)
def _minted(secret: bytes, salt: str, payload: tuple[tuple[str, Any], ...], _hour: int) -> str:
    return str(_serializer(secret, salt).dumps(dict(payload)))
