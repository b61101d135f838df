"""Cost against the length of a window, the number of channels and of rows, ours and the peer's; its table and its picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.steps import BATCHES, Sizes, both
from benchmarks.speed.timing import in_turn

LENGTHS = (50, 100, 200, 500, 1000)  # steps of a window, at 38 channels
CHANNELS = (1, 10, 38, 100, 500)  # at windows of 100 steps
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)  # scored whole at 38 channels, up to --rows
MAPS = 32 * 200 * 200  # numbers of a head's maps in a batch: longer windows come in smaller batches
WORK = {"train": "training", "score": "scoring"}
OURS, PEER = "AMAD", "Anomaly Transformer"
WHO = {"ours": OURS, "peer": PEER}


def curves(repeats: int, most_rows: int, quick: bool, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One entry a place: `axis`, its value `at`, `work`, `who`, and the least seconds of a window, or of all rows."""
    small = Sizes(batch=2, window=8, channels=3, width=16, heads=2, blocks=1, feed_forward=16) if quick else Sizes()
    found: list[dict[str, Any]] = []
    for axis, at, sizes in _places(small, quick):
        tell(f"{axis} {at}")
        for who, work, seconds in _windows(sizes, repeats):
            found.append({"axis": axis, "at": at, "work": work, "who": who, "seconds": seconds})
    for rows in (small.window * small.batch * 2,) if quick else ROWS:
        if rows <= most_rows:
            tell(f"rows {rows:,}")
            for who, seconds in _whole(small, rows):
                found.append({"axis": "rows", "at": rows, "work": "scoring", "who": who, "seconds": seconds})
    return found


def _places(small: Sizes, quick: bool) -> Iterator[tuple[str, int, Sizes]]:
    for length in LENGTHS[:1] if quick else LENGTHS:
        batch = max(1, min(small.batch, MAPS // length**2))
        yield "window", length, replace(small, window=length, batch=batch)
    for channels in CHANNELS[:1] if quick else CHANNELS:
        yield "channels", channels, replace(small, channels=channels)


def _windows(sizes: Sizes, repeats: int) -> Iterator[tuple[str, str, float]]:
    x = torch.randn(BATCHES * sizes.batch, sizes.window, sizes.channels)
    work = {name: each for name, each in both(sizes, x).items() if name.split()[1] in WORK}
    for name, times in in_turn(work, repeats).items():
        who, what = name.split()
        yield WHO[who], WORK[what], min(times.wall) / (sizes.batch if what == "train" else len(x))


def _whole(sizes: Sizes, rows: int) -> Iterator[tuple[str, float]]:
    """Seconds of the model's part of scoring so many rows, windows side by side."""
    x = torch.randn(BATCHES * sizes.batch, sizes.window, sizes.channels)
    passes = max(1, rows // (len(x) * sizes.window))
    work = both(sizes, x)
    for who, shown in WHO.items():
        score = work.get(f"{who} score")
        if score is None:
            continue
        score()
        begun = time.perf_counter()
        for _ in range(passes):
            score()
        yield shown, time.perf_counter() - begun


def lines(found: Sequence[dict[str, Any]]) -> list[str]:
    """The table, in Markdown."""
    out = ["| axis | at | work | AMAD | Anomaly Transformer | ratio |", "|---|---|---|---|---|---|"]
    by_place: dict[tuple[str, int, str], dict[str, float]] = {}
    for one in found:
        by_place.setdefault((one["axis"], one["at"], one["work"]), {})[one["who"]] = one["seconds"]
    for (axis, at, work), seconds in by_place.items():
        scale, unit = (1.0, "s") if axis == "rows" else (1e3, "ms a window")
        mine, other = seconds[OURS], seconds.get(PEER)
        cells = [axis, f"{at:,}", work, f"{scale * mine:.3g} {unit}"]
        cells += [f"{scale * other:.3g} {unit}", f"{other / mine:.2f}"] if other else ["missing", ""]
        out.append("| " + " | ".join(cells) + " |")
    return out


def draw(found: Sequence[dict[str, Any]], file: Path) -> None:
    """The picture as SVG; Altair needs vl-convert-python for it (benchmarks/requirements.txt)."""
    import altair as alt
    import pandas as pd

    titles = {"window": "steps of a window", "channels": "channels", "rows": "rows"}
    panels = []
    for axis, title in titles.items():
        table = pd.DataFrame([one for one in found if one["axis"] == axis])
        if table.empty:
            continue
        scale = alt.Scale(type="log", nice=False, padding=8)
        unit = "seconds of all rows" if axis == "rows" else "seconds of a window"
        ticks = alt.Axis(values=sorted(table["at"].unique()), format="~s")
        who = alt.Scale(domain=[OURS, PEER], range=["#17695E", "#7A55C7"])
        ground = alt.Chart(table, width=240, height=220).encode(
            alt.X("at:Q", scale=scale, title=title, axis=ticks),
            alt.Y("seconds:Q", scale=scale, title=unit),
            alt.Color("who:N", title=None, scale=who),
            alt.Detail("work:N"),
        )
        # dashes on the lines alone: with points in its legend they would not be told apart
        panels.append(ground.mark_line().encode(alt.StrokeDash("work:N", title=None)) + ground.mark_circle(opacity=1))
    made = alt.hconcat(*panels).configure(background="white").configure_legend(orient="bottom")
    made.save(str(file))
