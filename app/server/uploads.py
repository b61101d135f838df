"""The routes of uploads: a file comes in pieces that go straight to disk, and can be cancelled; the library keeps it.

POST /amad/uploads with `{"name", "size"}` begins one, PUT /amad/uploads/<id>?offset=N takes bytes, GET says how far it is,
DELETE takes it away. Each answers `{"id", "name", "size", "received", "whole"}`, or a status and a JSON `error`.
"""

import json
import logging
import urllib.parse
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from amad.errors import AmadError
from amad.workspace.incoming import Arrival, Incoming, Reason, Refused
from app.server import tokens, workspace
from app.server.counts import COUNTS

_LOG = logging.getLogger(__name__)
_BLOCK = 1 << 20  # bytes that are written at once
_STATUS: dict[Reason, int] = {"large": 413, "room": 507, "gone": 404, "order": 409, "wrong": 400}
_LONGEST = 4096  # bytes of a request that begins an upload

Handler = Callable[[Request, Incoming, str], Awaitable[Response]]


async def uploads(request: Request) -> Response:
    """POST: begins an upload."""
    return await _guarded(request, _begin)


async def upload(request: Request) -> Response:
    """PUT, GET, DELETE: one upload."""
    return await _guarded(request, {"PUT": _take, "DELETE": _cancel}.get(request.method, _about))


def same_origin(request: Request) -> bool:
    """Whether a request comes from a page of ours: by what the browser says of it, else by its Origin.

    Programs that are no browser say neither, and need the token all the same.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urllib.parse.urlsplit(origin).netloc == request.headers.get("host")


async def _guarded(request: Request, reply: Handler) -> Response:
    """What `reply` answers where origin and token are good; what is refused as a status and a sentence."""
    if not same_origin(request):
        _LOG.warning("refused: an upload from another site")
        COUNTS.add("uploads", "refused")
        return _error(403, "Only a page of this app may send files.")
    try:
        store = workspace.current()
        owner = tokens.verify_upload(store, request.headers.get("x-amad-token"))
        return await reply(request, Incoming(store.path), owner)
    except tokens.TokenError as error:
        _LOG.warning("refused: an upload (%s)", error)
        COUNTS.add("uploads", "refused")
        return _error(403, str(error))
    except Refused as refused:
        if refused.reason in ("large", "room"):
            _LOG.warning("refused: an upload (%s)", refused)
            COUNTS.add("uploads", "refused")
        return _error(_STATUS[refused.reason], str(refused))
    except AmadError as error:
        return _error(400, str(error))
    except ClientDisconnect:
        return _error(400, "The connection broke off.")  # nobody reads it; what came is kept for another try
    except Exception:  # the reader gets a sentence, the log the traceback
        _LOG.exception("An upload failed.")
        return _error(500, "The file could not be taken; the server's log says why.")


async def _begin(request: Request, incoming: Incoming, owner: str) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            return _error(413, "Name and size of a file take less than that.")
    try:
        wanted = json.loads(body)
        name, size = wanted["name"], wanted["size"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _error(400, "Send the file's name and size as JSON.")
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool):
        return _error(400, "Send the file's name and size as JSON.")
    known = await to_thread.run_sync(partial(incoming.begin, owner, name, size))
    _LOG.info('upload begun: "%s", %s bytes', known.name, known.size)
    COUNTS.add("uploads", "begun")
    if known.path is not None:  # an empty file
        _whole(known)
    return _answer(known, 201)


async def _take(request: Request, incoming: Incoming, owner: str) -> Response:
    key, text = request.path_params["id"], request.query_params.get("offset", "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        return _error(400, "offset must be a whole number, 0 or more.")
    offset, waiting = int(text), bytearray()

    async def put() -> Arrival:
        nonlocal offset
        data = bytes(waiting)
        waiting.clear()
        known = await to_thread.run_sync(partial(incoming.write, owner, key, offset, data))
        offset += len(data)
        if data and known.path is not None and offset == known.size:
            _whole(known)
        return known

    try:
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _BLOCK:
                await put()
    except ClientDisconnect:
        await put()  # what came of a piece need not come again
        raise
    return _answer(await put())


async def _about(request: Request, incoming: Incoming, owner: str) -> Response:
    return _answer(await to_thread.run_sync(partial(incoming.find, owner, request.path_params["id"])))


async def _cancel(request: Request, incoming: Incoming, owner: str) -> Response:
    with suppress(Refused):  # gone already
        known = await to_thread.run_sync(partial(incoming.find, owner, request.path_params["id"]))
        if known.path is None:
            _LOG.info('upload cancelled: "%s", %s of %s bytes', known.name, known.received, known.size)
            COUNTS.add("uploads", "cancelled")
    await to_thread.run_sync(partial(incoming.remove, owner, request.path_params["id"]))
    return Response(status_code=204)


def _whole(known: Arrival) -> None:
    _LOG.info('upload ended: "%s", %s bytes', known.name, known.size)
    COUNTS.add("uploads", "whole")
    COUNTS.add("upload_bytes", "", known.size)


def _answer(known: Arrival, status: int = 200) -> JSONResponse:
    told = {"id": known.id, "name": known.name, "size": known.size, "received": known.received}
    return JSONResponse(
        {**told, "whole": known.path is not None}, status_code=status, headers={"cache-control": "no-store"}
    )


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status, headers={"cache-control": "no-store"})
