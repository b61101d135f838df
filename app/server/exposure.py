"""Who can reach the app: without sign-in it serves this machine alone, unless whoever starts it says that it may be open."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from amad.errors import AmadError
from app.server import signing

ALLOWED = "AMAD_INSECURE_NO_AUTH"
_REFUSED = (
    "amad: the app would listen on {address}, where others can reach it, and it asks nobody for a name or a password. "
    "Everybody who reaches it could read, change and delete every series, run and label. Leave out --server.address to "
    f"serve this machine alone, let people sign in ({signing.AUTH}=oidc), put it behind a proxy that asks who comes, or "
    f"set {ALLOWED}=1 to open it all the same."
)
_WARNING = (
    "\n  WARNING: AMAD listens on {address} without sign-in. Whoever reaches this address can read, change and delete "
    f"everything in the workspace.\n  This was allowed by {ALLOWED}=1.\n"
)


def is_local(address: str | None) -> bool:
    """Whether only this machine reaches an address that a server listens on; None and "" are every address there is."""
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False  # a name that may mean anything


def verdict(
    address: str | None, environment: Mapping[str, str] = os.environ, signs_in: bool = False
) -> tuple[bool, str]:
    """Whether the app may start on an address, and what to tell whoever starts it ("" where there is nothing to tell)."""
    if is_local(address):
        return True, ""
    if signs_in:
        return True, ""
    said = address or "every address of this machine"
    if environment.get(ALLOWED) == "1":
        return True, _WARNING.format(address=said)
    return False, _REFUSED.format(address=said)


def guard(address: str | None, secrets: Mapping[str, Any]) -> None:
    """Ends the program with exit code 2 where it may not start on an address, or signing in cannot work; warns where it was allowed to."""
    try:
        signs_in = signing.signing() is not None
    except AmadError as error:
        end(str(error))
    if signs_in and (wrong := signing.lacking(secrets) or signing.package_missing()):
        end(wrong)
    may, said = verdict(address, signs_in=signs_in)
    if said:
        print(said, file=sys.stderr, flush=True)
    if not may:
        raise SystemExit(2)


def end(why: str) -> NoReturn:
    """Ends the program before it serves anybody, with exit code 2 and a sentence that says what to change."""
    print(f"amad: {why}", file=sys.stderr, flush=True)
    raise SystemExit(2)
