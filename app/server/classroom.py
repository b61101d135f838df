"""A server of its own for rooms of guesses: a class on the local network reaches these, and nothing of the workspace."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.routing import Route

from app.server import guessing, listening
from app.server.address import with_base
from app.server.headers import middleware

ADDRESS = "AMAD_CLASS_ADDRESS"  # host:port; the operator allows by it that others reach the rooms
_lock = threading.Lock()
_port: int | None = None


def allowed(environment: Mapping[str, str] = os.environ) -> tuple[str, int] | None:
    """Host and port that the operator named for rooms; None where nobody but this machine may guess.

    Errors: InputError for an address that is none.
    """
    return listening.address(ADDRESS, environment, "host:port, such as 0.0.0.0:8600")


def served(environment: Mapping[str, str] = os.environ) -> str | None:
    """Starts the server of rooms once, where it is allowed; its address (scheme, host, port) as others reach it.

    Errors: InputError where it cannot listen there.
    """
    global _port
    wanted = allowed(environment)
    if wanted is None:
        return None
    host, port = wanted
    with _lock:
        if _port is None:
            _port = listening.serve(ADDRESS, host, port, application())
    shown = outward() if everywhere(host) else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{_port}"


def application() -> Starlette:
    """Rooms of guesses and their one script, with the app's security headers."""
    module = Route(with_base("/amad/modules/guess/{hash}/{file}"), guessing.script)
    return Starlette(routes=[*guessing.routes(), module], middleware=middleware())


def everywhere(host: str) -> bool:
    """Whether a host stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def outward() -> str:
    """This machine's address on the network that it reaches others by; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
