"""Servers of our own beside Streamlit's, each on the address that its operator named, with nothing behind it but its own routes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping

import uvicorn
from starlette.applications import Starlette

from amad.errors import InputError


def address(name: str, environment: Mapping[str, str], example: str) -> tuple[str, int] | None:
    """Host and port that a variable names; None where it is not set. Errors: InputError for an address that is none."""
    given = environment.get(name, "").strip()
    if not given:
        return None
    host, colon, port = given.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65536:
        raise InputError(f'{name} is "{given}". Give {example}.')
    return host.strip("[]"), int(port)


def serve(name: str, host: str, port: int, application: Starlette) -> int:
    """Serves an application there in a thread of this process; returns the port.

    Errors: InputError, which names the variable, where it cannot listen there.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(f"{name}: {host}:{port} cannot be listened on ({error.strerror}). Give another.") from error
    # log_config: the process has its own way of writing lines
    config = uvicorn.Config(application, log_level="warning", log_config=None, access_log=False, server_header=False)
    threading.Thread(
        target=uvicorn.Server(config).run, args=([listening],), name=f"{name.lower()}", daemon=True
    ).start()
    return int(listening.getsockname()[1])
