"""GET /amad/timeline/data: extremes of the tracks in view on a fixed grid, with the times of their rows.

The answer is binary: 4 bytes of header length, a JSON header, then 8-byte aligned little-endian arrays that the header
points to: float64 `row` and `time` of the knots, then of each track float32 `lo` and `hi` (one array where it is `single`)
and uint8 `missing` where any is: 1 for rows that are missing, and 2, 4 more where a positive, a negative infinity was there.
"""

import gzip
import json
import logging
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amad.errors import AmadError
from app.components.timeline import sources
from app.server import tokens, workspace

_LOG = logging.getLogger(__name__)
MAX_TRACKS = 160
MAX_BUCKETS = 16_384
MAX_NUMBERS = 1_000_000  # lo and hi together: 4 MB, eight times what a screen of 25 channels takes
VIEWS = ("score", "reconstruction", "divergence", "shape", "cad")
_TRACK = re.compile(r"[a-z]{1,16}|[ce]\d{1,6}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Refused(Exception):
    """A request that is answered with a status and a sentence instead of data."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Wanted:
    """A checked request: rows [start, stop) in buckets of `rows` rows (a power of two)."""

    series: str
    run: str | None
    start: int
    stop: int
    rows: int
    tracks: tuple[str, ...]


def timeline_data(request: Request) -> Response:
    """Answers with the payload, or 400, 403, 404 and a JSON `error` that says what to do."""
    return refusing(request, _answer)


def refusing(request: Request, reply: Callable[[Request], Response]) -> Response:
    """What `reply` answers; what it refuses, and what goes wrong, as a status and a JSON `error`."""
    try:
        return reply(request)
    except Refused as refusal:
        if refusal.status == 403:
            _LOG.warning("refused: data of the timeline (%s)", refusal)
        return _error(refusal.status, str(refusal))
    except AmadError as error:
        return _error(404, str(error))
    except Exception:  # the reader gets a sentence, the log the traceback
        _LOG.exception("The timeline's data could not be read.")
        return _error(500, "The data could not be read; the server's log says why.")


def _answer(request: Request) -> Response:
    wanted = parse(request.query_params)
    body = payload(granted(request, wanted.series, wanted.run), wanted)
    return answer(request, body)


def granted(request: Request, series: str, run: str | None) -> Any:
    """The workspace, where the request's token is good for this series and run; Refused (403) elsewhere."""
    store = workspace.current()
    try:
        grant = tokens.verify(store, request.headers.get("x-amad-token"))
    except tokens.TokenError as error:
        raise Refused(403, str(error)) from error
    if series != grant.series or (run is not None and run not in grant.runs):
        raise Refused(403, "The token is for another series or run. Reload the page.")
    return store


def answer(request: Request, body: bytes) -> Response:
    """The binary answer, compressed where the browser takes that and it helps."""
    headers = {"cache-control": "private, no-store", "vary": "accept-encoding"}
    if request.scope.get("amad.gzip") and _compresses(body):
        body = gzip.compress(body, compresslevel=1)
        headers["content-encoding"] = "gzip"
    return Response(body, media_type="application/octet-stream", headers=headers)


def parse(query: Mapping[str, str]) -> Wanted:
    """The request's parameters, checked; Refused (400) naming the first that cannot be."""
    series, run = names(query)
    start, stop, rows = (whole(query, name) for name in ("start", "stop", "rows"))
    if rows < 1 or rows & (rows - 1) or rows > 1 << 40:
        raise Refused(400, f"rows is {rows}; it must be a power of two.")
    if not start < stop:
        raise Refused(400, f"start {start} is not before stop {stop}.")
    tracks = tuple(dict.fromkeys(query.get("tracks", "").split(",")))
    if not 1 <= len(tracks) <= MAX_TRACKS or not all(_TRACK.fullmatch(track) for track in tracks):
        raise Refused(400, f"tracks names 1 to {MAX_TRACKS} tracks: c0, e0, {', '.join(VIEWS)} or mean.")
    buckets = -(-stop // rows) - start // rows
    if buckets > MAX_BUCKETS or 2 * buckets * len(tracks) > MAX_NUMBERS:
        raise Refused(400, f"{buckets} buckets of {len(tracks)} tracks are too many; ask for more rows a bucket.")
    return Wanted(series, run, start, stop, rows, tracks)


def names(query: Mapping[str, str]) -> tuple[str, str | None]:
    """Series and run that a request names; Refused (400) where they cannot be identifiers."""
    series, run = query.get("series", ""), query.get("run") or None
    if not _IDENTIFIER.fullmatch(series) or (run is not None and not _IDENTIFIER.fullmatch(run)):
        raise Refused(400, "series and run are identifiers of the workspace.")
    return series, run


def whole(query: Mapping[str, str], name: str) -> int:
    """A whole number of a request, 0 or more; Refused (400) where it is none."""
    text = query.get(name, "")
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise Refused(400, f"{name} must be a whole number, 0 or more.")
    return int(text)


def payload(store: Any, wanted: Wanted) -> bytes:
    """The binary answer for a checked request; Refused (404) where a track does not exist."""
    opened = sources.open_source(store, wanted.series, wanted.run)
    start, stop = min(wanted.start, opened.rows), min(wanted.stop, opened.rows)
    if start >= stop:
        raise Refused(404, f"The series ends at row {opened.rows:,}.")
    first, last = start // wanted.rows, -(-stop // wanted.rows)
    try:
        tracks = opened.read(wanted.tracks, start, stop, wanted.rows)
    except KeyError as error:
        raise Refused(404, f"There is no track {error.args[0]!r} here.") from error
    rows, times = opened.clock.knots(first * wanted.rows, min(last * wanted.rows, opened.rows))
    arrays: list[NDArray[Any]] = [rows, times]
    described: list[dict[str, Any]] = []
    for track in tracks:
        gaps = track.missing > 0
        single = wanted.rows == 1 or track.name[0] == "e"
        described.append({"id": track.name, "range": track.range, "single": single, "missing": bool(gaps.any())})
        if track.band is not None:
            described[-1]["band"] = track.band
        # Of expected values only the middle is drawn: half the bytes.
        arrays += [track.lo if wanted.rows == 1 else (track.lo + track.hi) / 2] if single else [track.lo, track.hi]
        if gaps.any():
            arrays.append(gaps.astype(np.uint8) | track.infinite << 1)
    header = {
        "start": first * wanted.rows,
        "rows": wanted.rows,
        "count": last - first,
        "total": opened.rows,
        "knots": len(rows),
        "axis": opened.clock.kind,
        "zone": opened.clock.zone,
        "tracks": described,
    }
    return pack(header, arrays)


def pack(header: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    """Header and arrays as one answer: `uint32 length, JSON, arrays`, each part filled up to a multiple of 8 bytes."""
    text = json.dumps(header, allow_nan=False).encode()
    parts = [_filled(struct.pack("<I", len(text)) + text, b" ")]
    parts += [
        _filled(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes(), b"\0") for array in arrays
    ]
    return b"".join(parts)


def _filled(data: bytes, with_byte: bytes) -> bytes:
    return data + with_byte * (-len(data) % 8)


def _compresses(body: bytes) -> bool:
    """Whether gzip would save a third, judged by 16 KB from the middle: noise is better sent as it is."""
    middle = len(body) // 2
    sample = body[max(middle - 8192, 0) : middle + 8192]
    return len(body) > 4096 and len(gzip.compress(sample, compresslevel=1)) < 0.67 * len(sample)


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status, headers={"cache-control": "no-store"})
