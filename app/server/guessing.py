"""GET and POST /amad/guess/<code>: the small page on which somebody of the class brushes a guess; it shows nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from amad.errors import InputError
from amad.plots.palette import COLORS
from app.server.address import with_base
from app.server.guesses import NAME_LENGTH, ROOMS, Room
from app.server.headers import NOT_KEPT
from app.server.modules import module_url, serve

MOST_BYTES = 2000  # of a guess on its way
_PARTS = Path(__file__).resolve().parents[1] / "components" / "guess"
_GONE = "This room is closed, or its address is not whole. Ask the presenter for the link."


def page(request: Request) -> Response:
    """The page of a room."""
    room = ROOMS.find(request.path_params["code"])
    if room is None:
        return _html(f"<p>{html.escape(_GONE)}</p>", status=404)
    signal = {
        "first": room.first,
        "names": list(room.names),
        "values": [
            [round(float(value), 4) if np.isfinite(value) else None for value in column] for column in room.values.T
        ],
        "address": with_base(f"/amad/guess/{room.code}"),
    }
    last = room.first + len(room.values) - 1
    body = f"""
<h1>Where is the anomaly?</h1>
<p>Brush over the rows that look wrong to you, or give them below. You may send again until the presenter reveals the answer.</p>
<canvas id="picture" role="img" aria-label="{html.escape(_words(room), quote=True)}"></canvas>
<form id="form">
<label>First row<input id="start" type="number" inputmode="numeric" min="{room.first}" max="{last}" required></label>
<label>Last row<input id="stop" type="number" inputmode="numeric" min="{room.first}" max="{last}" required></label>
<label>Name (others see it)<input id="name" type="text" maxlength="{NAME_LENGTH}" autocomplete="off"></label>
<button id="send">Send my guess</button>
</form>
<p id="said" role="status"></p>
<script type="application/json" id="signal">{json.dumps(signal, separators=(",", ":")).replace("<", chr(92) + "u003c")}</script>
<script type="module" src="{module_url("guess", "guess.js")}"></script>"""
    return _html(body)


async def guess(request: Request) -> Response:
    """Takes a guess; answers how many there are, or what was wrong."""
    room = ROOMS.find(request.path_params["code"])
    if room is None:
        return _said(404, _GONE)
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        return _said(400, "A guess is sent as JSON. Reload the page.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return _said(413, "This is too long for a guess.")
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return _said(400, "A guess is sent as JSON. Reload the page.")
    try:
        count = ROOMS.guess(room, given)
    except InputError as error:
        return _said(409 if room.revealed else 400, str(error))
    return JSONResponse({"count": count}, headers=NOT_KEPT)


def routes() -> list[BaseRoute]:
    """The routes of a room, and the one script of its page."""
    return [
        Route(with_base("/amad/guess/{code}"), page, methods=["GET"]),
        Route(with_base("/amad/guess/{code}"), guess, methods=["POST"]),
    ]


def script(request: Request) -> Response:
    """The page's script, and no other module: for the server that has nothing but rooms."""
    request.path_params["component"] = "guess"
    return serve(request)


def _words(room: Room) -> str:
    last = room.first + len(room.values) - 1
    return f"{', '.join(room.names)} over rows {room.first:,} to {last:,}"


def _said(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=NOT_KEPT)


@lru_cache(maxsize=1)
def _style() -> str:
    """The page's style with the colours of the app, light and dark."""
    shades = {name: {role: COLORS[name][role] for role in _ROLES} for name in ("light", "dark")}
    lines = [f"--{role}:light-dark({shades['light'][role]},{shades['dark'][role]})" for role in _ROLES]
    return f":root{{{';'.join(lines)}}}\n" + (_PARTS / "guess.css").read_text(encoding="utf-8")


_ROLES = ("background", "surface", "text", "grey", "rule", "grid", "signal", "threshold")


def _html(body: str, status: int = 200) -> Response:
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    made = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>Where is the anomaly?</title><style>{style}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
    return HTMLResponse(made, status_code=status, headers={**NOT_KEPT, "content-security-policy": policy})
