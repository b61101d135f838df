"""What goes to the browser, and what comes back: plain values only, and nothing from the browser is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amad.errors import InputError
from amad.plots.palette import INCIDENT_TYPES, Theme
from app.components.packing import packed, pooled

DECISIONS = ("accepted", "rejected", "unsure")
KINDS = ("incident", "label", "maintenance", "disagreement")
_LOOKS = {known["name"]: known for known in INCIDENT_TYPES}


@dataclass(frozen=True)
class Packed:
    """Many marks or spans as one text, made once and kept by a page: thousands of them would cost each run of it a second."""

    text: str


def pair(span: Any, rows: int) -> tuple[int, int] | None:
    """Whole rows (from, to) inside the series, or None; what comes from the browser is not trusted."""
    try:
        start, stop = (round(float(edge)) for edge in span)
    except (TypeError, ValueError, OverflowError):
        return None
    start, stop = max(0, start), min(rows, stop)
    return (start, stop) if start < stop else None


def spans(found: Iterable[Sequence[int]], rows: int) -> list[tuple[int, int]]:
    """Spans (from, to) inside the series; empty ones are left out."""
    inside = (pair(span, rows) for span in found)
    return [span for span in inside if span is not None]


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own: one of them would turn all of the component's data into text."""
    return value.item() if hasattr(value, "item") else value


def event(given: Mapping[str, Any]) -> dict[str, Any]:
    """An event for the browser."""
    return {
        "id": plain(given["id"]),
        "start": int(given["start"]),
        "end": int(given["end"]),
        "severity": float(given.get("severity") or 0.0),
        "channels": [str(name) for name in given.get("channels") or ()],
        "decision": given.get("decision") if given.get("decision") in DECISIONS else None,
        "listed": bool(given.get("listed", True)),
    }


def incident(given: Mapping[str, Any], theme: Theme, colors: Mapping[str, str]) -> dict[str, Any]:
    """An incident, label, maintenance window or disagreement for the browser, with the look of its type."""
    kind = str(given.get("kind") or "incident")
    kind = kind if kind in KINDS else "incident"
    look = _LOOKS.get(str(given.get("type")), INCIDENT_TYPES[-1])
    code, pattern, color = look["code"], look["pattern"], look[theme]
    if kind == "maintenance":
        code, pattern, color = "", "hatch", colors["maintenance"]
    elif kind == "disagreement":
        code, pattern, color = "\u2260", "mesh", colors["text"]
    inner = given.get("inner")
    return {
        "id": plain(given["id"]),
        "start": int(given["start"]),
        "end": int(given["end"]),
        "inner": None if inner is None else [int(inner[0]), int(inner[1])],
        "kind": kind,
        "type": str(given.get("type") or (kind.capitalize() if kind != "incident" else look["name"])),
        "author": str(given.get("author") or ""),
        "channels": [str(name) for name in given.get("channels") or ()],
        "code": str(given["code"] if given.get("code") is not None else code),
        "pattern": str(given.get("pattern") or pattern),
        "color": str(given.get("color") or color),
    }


def painted(paint: Mapping[str, Any]) -> dict[str, Any]:
    """Both maps (L, L) of a window, 8 bits a weight, so that the browser paints any of its steps without asking again."""
    maps = {name: np.asarray(paint[name], dtype=np.float32) for name in ("local", "global")}
    steps = len(maps["local"])
    if any(found.shape != (steps, steps) for found in maps.values()):
        raise InputError(f"Maps have shapes {[found.shape for found in maps.values()]}. Give two of (L, L).")
    small = {name: pooled(found) for name, found in maps.items()}
    return {
        "start": int(paint["start"]),
        "row": int(paint["row"]),
        "steps": steps,
        "size": len(small["local"]),
        "relative": bool(paint.get("relative", False)),
        "words": str(paint.get("words", "")),
        **{name: packed(found, bits=8) for name, found in small.items()},
    }


def stripped(strips: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Numbers of windows over the series, for the strips under the signals."""
    if strips is None:
        return None
    shown = []
    for one in strips["list"]:
        lines = [
            {
                "name": str(line["name"]),
                "role": str(line["role"]),
                "values": [round(float(v), 4) for v in line["values"]],
            }
            for line in one["lines"]
        ]
        every = [float(value) for one_line in one["lines"] for value in one_line["values"]] or [0.0]
        shown.append(
            {
                "label": str(one["label"]),
                "unit": str(one["unit"]),
                "range": [round(min(every), 4), round(max(every), 4)],
                "lines": lines,
            }
        )
    return {
        "rows": [int(row) for row in strips["rows"]],
        "length": int(strips["length"]),
        "at": None if strips.get("at") is None else int(strips["at"]),
        "list": shown,
    }


def counting(detect: Mapping[str, Any] | None) -> dict[str, float] | None:
    """How events are made of a score, for the counts while a threshold is dragged."""
    if detect is None:
        return None
    return {
        "gap": int(detect.get("gap", 0)),
        "least": max(1, int(detect.get("least", 1))),
        "severity": float(detect.get("severity", 0.0)),
    }


def packed_incidents(found: Iterable[Mapping[str, Any]], theme: Theme, colors: Mapping[str, str]) -> Packed:
    """Incidents as `incident` makes them, in columns: what many of them share stands in the text once."""
    return _packed([incident(one, theme, colors) for one in found], ("id", "start", "end", "inner"))


def packed_events(found: Iterable[Mapping[str, Any]]) -> Packed:
    """Events as `event` makes them, in columns."""
    return _packed([event(one) for one in found], ("id", "start", "end", "severity"))


def packed_spans(found: Iterable[Sequence[int]], rows: int) -> Packed:
    """Spans as `spans` makes them, one number after the other."""
    return Packed(",".join(str(edge) for span in spans(found, rows) for edge in span))


def _packed(marks: Sequence[Mapping[str, Any]], own: Sequence[str]) -> Packed:
    """Columns of what each mark has for itself, and `kind`: the place in `kinds` of all else that it shares with others."""
    kinds: dict[str, int] = {}
    places = [
        kinds.setdefault(json.dumps({name: value for name, value in mark.items() if name not in own}), len(kinds))
        for mark in marks
    ]
    columns = {name: [mark[name] for mark in marks] for name in own}
    shared = [json.loads(kind) for kind in kinds]
    return Packed(json.dumps({"kinds": shared, "of": places, "own": columns}, separators=(",", ":")))
