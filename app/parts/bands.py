"""Bands that pages lay over the timeline."""

from __future__ import annotations

from typing import Any

from amad.plots.palette import COLORS
from amad.workspace import SeriesRecord
from app.parts import cached, theme


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
