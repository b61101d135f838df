"""GET /amad/timeline/events: the rows of the events at a threshold, while its handle is dragged.

The answer is binary: 4 bytes of header length, a JSON header with `count`, then int32 `starts` and `ends` (end exclusive),
filled up to 8 bytes each; without them where there are more than a person looks through.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from amad.detection.tally import event_rows
from amad.workspace.masks import maintained, unscored
from app.components.timeline import sources
from app.components.timeline.data import VIEWS, Refused, answer, granted, names, pack, refusing, whole

MOST_EVENTS = 20_000


@dataclass(frozen=True)
class Wanted:
    """A checked request: which view, above which threshold, and what is merged and left out."""

    series: str
    run: str
    score: str
    threshold: float
    merge_gap: int
    min_length: int
    severity: float


def timeline_events(request: Request) -> Response:
    """Answers with the events, or 400, 403, 404 and a JSON `error` that says what to do."""
    return refusing(request, _answer)


def _answer(request: Request) -> Response:
    wanted = parse(request.query_params)
    return answer(request, payload(granted(request, wanted.series, wanted.run), wanted))


def parse(query: Mapping[str, str]) -> Wanted:
    """The request's parameters, checked; Refused (400) naming the first that cannot be."""
    series, run = names(query)
    if run is None:
        raise Refused(400, "run must name a run: only a run has scores.")
    score = query.get("score", "")
    if score not in VIEWS:
        raise Refused(400, f"score must be one of {', '.join(VIEWS)}.")
    threshold, severity = _number(query, "threshold"), _number(query, "severity")
    merge_gap, min_length = whole(query, "gap"), whole(query, "least")
    if min_length < 1:
        raise Refused(400, "least must be 1 or more.")
    return Wanted(series, run, score, threshold, merge_gap, min_length, severity)


def payload(store: Any, wanted: Wanted) -> bytes:
    """The binary answer for a checked request; Refused (404) where the run has no such score."""
    opened = sources.open_source(store, wanted.series, wanted.run)
    try:
        score = opened.score(wanted.score)
    except KeyError as error:
        raise Refused(404, f"There is no score {wanted.score!r} here.") from error
    score = unscored(score, maintained(store, wanted.series, "scoring"))
    starts, ends = event_rows(
        score, wanted.threshold, merge_gap=wanted.merge_gap, min_length=wanted.min_length, severity=wanted.severity
    )
    told = len(starts) <= MOST_EVENTS
    arrays = [starts.astype(np.int32), ends.astype(np.int32)] if told else []
    return pack({"count": len(starts), "told": told}, arrays)


def _number(query: Mapping[str, str], name: str) -> float:
    try:
        value = float(query.get(name, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Refused(400, f"{name} must be a number.")
    return value
