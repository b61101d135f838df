"""A report of one series as one HTML file: timeline, incidents, channels of the events, and how the run was made.

Nothing in it runs or is fetched: pictures are SVG, and every text of the user is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.workspace.incident_records import Decision, Incident, IncidentType
from amad.workspace.records import RunRecord, SeriesRecord

if TYPE_CHECKING:
    from amad.detection import Event
    from amad.series import Series

_WIDTH, _GUTTER, _PANEL, _MOST_PANELS = 1000, 130, 46, 12
_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#1b2430,#e4e9ee);--grey:light-dark(#4a5765,#a9b4bf);--rule:light-dark(#cbd3db,#3a444f);
--signal:light-dark(#2b3946,#9dabb6);--score:light-dark(#d1186f,#e8608c);--held:light-dark(#17695e,#99ebd6);--paper:light-dark(#fff,#14181d)}
body{font:14px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:24px auto;padding:0 20px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:28px 0 8px}p{margin:4px 0}.grey{color:var(--grey)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;border-bottom:1px solid var(--rule);padding:4px 8px}td{padding:4px 8px;border-bottom:1px solid var(--rule);vertical-align:top}
td.n,th.n{text-align:right}svg{width:100%;height:auto;display:block}text{fill:var(--ink);font-size:12px}text.grey{fill:var(--grey);font-size:11px}
.bar{height:8px;background:var(--score);border-radius:2px}pre{white-space:pre-wrap;margin:0;font:inherit}@media print{body{margin:0;max-width:none}}
"""


def series_report(
    record: SeriesRecord, series: Series, labels: Sequence[Incident], *, types: Sequence[IncidentType] = (),
    run: RunRecord | None = None, score: NDArray[Any] | None = None, threshold: float | None = None,
    events: Sequence[Event] = (), decisions: Sequence[Decision] = (), made_by: str = "",
) -> bytes:  # fmt: skip
    """The report as UTF-8 HTML. score (T,) of the run with its threshold; events as `find_events` gives them."""
    shares = _shares(events, run.channels if run is not None else ())
    channels = [name for name, _ in shares][:_MOST_PANELS] or list(record.channels[:_MOST_PANELS])
    time = series.time
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(record.name)}: incidents</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(record.name)}</h1><p class='grey'>{escape(_facts(record, time, made_by))}</p>",
        "<h2>Timeline</h2>",
        _timeline(series, channels, labels, types, score, threshold, events),
        f"<h2>Incidents ({len(labels):,})</h2>",
        _incidents(labels, time),
    ]
    if run is not None:
        parts += [
            f"<h2>Channels of the {len(events):,} events</h2>",
            _channels(shares),
            f"<h2>Events ({len(events):,})</h2>",
            _events(events, decisions, run, time),
            "<h2>How the run was made</h2>",
            _run(run, threshold),
        ]
    parts.append("</body></html>")
    return "".join(parts).encode()


def _facts(record: SeriesRecord, time: Any, made_by: str) -> str:
    span = "" if time is None else f", {time[0]} to {time[-1]}"
    by = f" by {made_by}" if made_by else ""
    return f"{len(record.channels)} channels, {record.rows:,} rows{span}. Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC{by}."


def _at(time: Any, row: int) -> str:
    return f"row {row:,}" if time is None else str(time[row])


def _timeline(
    series: Series, channels: Sequence[str], labels: Sequence[Incident], types: Sequence[IncidentType],
    score: NDArray[Any] | None, threshold: float | None, events: Sequence[Event],
) -> str:  # fmt: skip
    panels = [(name, np.asarray(series.values[:, series.channels.index(name)])) for name in channels]
    if score is not None:
        panels.append(("Score", np.asarray(score)))
    height = 40 + _PANEL * len(panels) + 24
    colors = {kind.name: kind.light for kind in types}
    scale = (_WIDTH - _GUTTER) / series.rows
    words = f"Timeline of {len(channels)} channels with {len(labels)} incidents and {len(events)} events"
    out = [f"<svg viewBox='0 0 {_WIDTH} {height}' role='img' aria-label='{escape(words, quote=True)}'>"]
    out.append("<text x='0' y='12' class='grey'>Incidents</text><text x='0' y='30' class='grey'>Events</text>")
    for one in labels:
        x, w = _GUTTER + one.start_row * scale, max(1.5, one.rows * scale)
        title = escape(f"{one.type}, {one.start_row:,} to {one.end_row - 1:,}, {one.author}: {one.note}")
        out.append(
            f"<rect x='{x:.1f}' y='3' width='{w:.1f}' height='10' fill='{_color(colors.get(one.type))}'><title>{title}</title></rect>"
        )
        out.append(
            f"<rect x='{x:.1f}' y='38' width='{w:.1f}' height='{_PANEL * len(panels)}' fill='{_color(colors.get(one.type))}' opacity='.12'/>"
        )
    for event in events:
        x, w = _GUTTER + event.start_row * scale, max(1.5, event.length * scale)
        out.append(f"<rect x='{x:.1f}' y='24' width='{w:.1f}' height='5' fill='var(--score)'/>")
    for place, (name, values) in enumerate(panels):
        top = 40 + _PANEL * place
        color = (
            "var(--score)" if name == "Score" and score is not None and place == len(panels) - 1 else "var(--signal)"
        )
        out.append(f"<text x='0' y='{top + 20}'>{escape(name[:18])}</text>{_line(values, top, color, scale)}")
        if color == "var(--score)" and threshold is not None:
            low, high = _range(values)
            y = top + _PANEL - 6 - (threshold - low) / (high - low) * (_PANEL - 10)
            if top <= y <= top + _PANEL:
                out.append(
                    f"<line x1='{_GUTTER}' x2='{_WIDTH}' y1='{y:.1f}' y2='{y:.1f}' stroke='var(--held)' stroke-dasharray='6 4'/>"
                )
    foot = height - 6
    out.append(f"<text x='{_GUTTER}' y='{foot}' class='grey'>{escape(_at(series.time, 0))}</text>")
    out.append(
        f"<text x='{_WIDTH}' y='{foot}' class='grey' text-anchor='end'>{escape(_at(series.time, series.rows - 1))}</text></svg>"
    )
    return "".join(out)


def _color(given: str | None) -> str:
    return given if given and len(given) == 7 and given[0] == "#" and given[1:].isalnum() else "#4A5765"


def _range(values: NDArray[Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _line(values: NDArray[Any], top: int, color: str, scale: float) -> str:
    """Smallest and largest value of each pixel column, so that no lone spike is lost."""
    columns = min(len(values), _WIDTH - _GUTTER)
    edges = np.linspace(0, len(values), columns + 1).astype(np.int64)[:-1]
    low, high = _range(values)
    lows, highs = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    y = [top + _PANEL - 6 - (ends - low) / (high - low) * (_PANEL - 10) for ends in (lows, highs)]
    path, pen = [], "M"
    for place, start in enumerate(edges):
        if not np.isfinite(lows[place]):
            pen = "M"
            continue
        x = _GUTTER + float(start) * scale
        path.append(f"{pen}{x:.1f} {y[0][place]:.1f}L{x:.1f} {y[1][place]:.1f}")
        pen = "L"
    return f"<path d='{''.join(path)}' fill='none' stroke='{color}' stroke-width='1'/>"


def _shares(events: Sequence[Event], channels: Sequence[str]) -> list[tuple[str, float]]:
    """The part of each channel in all events, weighted by severity, the largest first."""
    known = [event for event in events if event.shares is not None]
    if not known:
        return []
    weights = np.array([max(event.severity, 1e-6) for event in known])
    total = np.einsum("e,ec->c", weights, np.stack([event.shares for event in known if event.shares is not None]))
    total = total / total.sum()
    order = np.argsort(-total, kind="stable")
    return [(channels[place], float(total[place])) for place in order]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def cells(line: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if place in numbers else ''}>{cell}</{tag}>" for place, cell in enumerate(line)
        )

    body = "".join(f"<tr>{cells(line, 'td')}</tr>" for line in rows)
    return (
        f"<table><thead><tr>{cells([escape(head) for head in heads], 'th')}</tr></thead><tbody>{body}</tbody></table>"
    )


def _incidents(labels: Sequence[Incident], time: Any) -> str:
    if not labels:
        return "<p class='grey'>Nobody labelled an incident yet.</p>"
    rows = [
        [
            escape(one.type), escape(_at(time, one.start_row)), escape(_at(time, one.end_row - 1)), f"{one.rows:,}",
            "–" if one.severity is None else f"{one.severity:.0f}", escape(", ".join(one.channels) or "all"),
            escape(one.status), f"<pre>{escape(one.note)}</pre>", escape(one.author),
        ]
        for one in labels
    ]  # fmt: skip
    return _table(
        ("Type", "First row", "Last row", "Rows", "Severity", "Channels", "Status", "Note", "By"), rows, (3, 4)
    )


def _channels(shares: Sequence[tuple[str, float]]) -> str:
    rows = [
        [escape(name), f"<div class='bar' style='width:{max(1.0, 100 * part):.0f}%'></div>", f"{100 * part:.0f}\u2009%"]
        for name, part in shares[:15]
    ]
    return (
        _table(("Channel", "Part of the events, by severity", ""), rows, (2,))
        if rows
        else "<p class='grey'>No events.</p>"
    )


def _events(events: Sequence[Event], decisions: Sequence[Decision], run: RunRecord, time: Any) -> str:
    from amad.workspace.judging import match

    decided = match(decisions, events)
    rows = [
        [
            str(event.id), escape(_at(time, event.start_row)), escape(_at(time, event.end_row - 1)), f"{event.peak:.2f}",
            f"{event.severity:.0f}", escape(", ".join(event.top(run.channels, 3))),
            decided[event.id].verdict if event.id in decided else "open",
        ]
        for event in events
    ]  # fmt: skip
    heads = ("#", "First row", "Last row", "Peak", "Severity", "Channels", "Decision")
    return _table(heads, rows, (0, 3, 4)) if rows else "<p class='grey'>No events above the threshold.</p>"


def _run(run: RunRecord, threshold: float | None) -> str:
    facts: list[tuple[str, str]] = [
        ("Run", f"{run.name} ({run.id})"),
        ("Preset", run.preset),
        ("Training part", f"rows {run.part[0]:,} to {run.part[1]:,}"),
        ("Device", run.device),
        ("Finished", "" if run.finished is None else f"{run.finished:%Y-%m-%d %H:%M} UTC"),
        ("Threshold", "" if threshold is None else f"{threshold:.4g}"),
    ]
    settings = [(name, str(value)) for name, value in sorted(run.config.items()) if name != "channels"]
    rows = [[escape(name), escape(value)] for name, value in (*facts, *settings) if value not in ("", "None")]
    return _table(("Setting", "Value"), rows)
