"""Bands that pages lay over the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from amad.plots.palette import COLORS
from amad.workspace import SeriesRecord
from amad.workspace.masks import Disagreement
from app.parts import cached, theme
from app.parts.labelling import Stored

if TYPE_CHECKING:
    from amad.detection import Event


def event(found: Event) -> dict[str, Any]:
    """An event of a run, as a mark of the timeline."""
    return {"id": found.id, "start": found.start_row, "end": found.end_row, "severity": float(found.severity)}


def labels(record: SeriesRecord) -> list[dict[str, Any]]:
    """The labels that came with a series, as an incidents band that cannot be changed."""
    color = COLORS[theme.current()]["training"]
    return [
        {
            "id": f"label-{place}",
            "start": start,
            "end": stop,
            "type": "labels",
            "code": "",
            "pattern": "/",
            "color": color,
        }
        for place, (start, stop) in enumerate(cached.spans(record.id, str(record.created)))
    ]


def incidents(
    record: SeriesRecord, said: Stored, apart: Sequence[Disagreement], maintenance: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Everything that lies on the rail: people's labels, those that came with the series, maintenance, disagreements."""
    looks, shade = {kind.name: kind for kind in said.types}, theme.current()
    found = [{**one, "kind": "label"} for one in labels(record)]
    for one in said.labels:
        kind = looks.get(one.type)
        outer, inner = one.possible or (one.start_row, one.end_row), one.sure
        if inner is None and one.possible is not None:
            inner = (one.start_row, one.end_row)
        look = {} if kind is None else {"code": kind.code, "pattern": kind.pattern, "color": getattr(kind, shade)}
        found.append(
            {
                "id": one.id, "start": outer[0], "end": outer[1], "inner": inner, "type": one.type, "author": one.author,
                "channels": list(one.channels), "kind": "incident", **look,
            }
        )  # fmt: skip
    found += [
        {"id": f"maintenance-{start}", "start": start, "end": end, "kind": "maintenance"} for start, end in maintenance
    ]
    words = {"missed": "Missed", "false": "Rejected event", "partial": "Partly overlapping"}
    found += [
        {
            "id": f"apart-{one.start}",
            "start": one.start,
            "end": one.end,
            "kind": "disagreement",
            "type": words[one.kind],
        }
        for one in apart
    ]
    return found
