"""The claims of the paper's abstract against stored results: reproduced, not reproduced, or not testable here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.quality.measure import AT_THRESHOLD, RANKING
from benchmarks.quality.statistics import by_dataset, complete, mean_of_datasets, values_of
from benchmarks.quality.tables import MINE, TITLES, is_mine, markdown, number

Row = Mapping[str, Any]
STRONG_RECALL = 0.9
NEAR = 0.05
# Its presets under the published protocol, and their rows there.
PAPER = "AMAD paper"


def report(sized: tuple[str, Sequence[Row]], protocol: Sequence[Row]) -> list[str]:
    """A row for each claim."""
    size, rows = sized
    lines = [
        ["best on most metrics", *best_on_most(size, rows)],
        ["strong recall on PSM", *recall(protocol, "PSM")],
        ["strong recall on SMAP", *recall(protocol, "SMAP")],
        ["robust over diverse data", *robust(size, rows)],
    ]
    return markdown(["claim", "here", "what was found"], lines)


def best_on_most(size: str, rows: Sequence[Row]) -> tuple[str, str]:
    """Reproduced where the default is first among complete methods on more than half of the metrics."""
    entities = {row["entity"] for row in rows if row["method"] == MINE}
    first, rest = [], []
    for metric in (*RANKING, *AT_THRESHOLD):
        values = values_of(rows, metric)
        rivals = [name for name in complete(values, entities) if not is_mine(name)]
        if MINE not in values or not rivals:
            continue
        mine = mean_of_datasets(values[MINE]) or 0.0
        top = max(rivals, key=lambda name: mean_of_datasets({e: values[name][e] for e in entities}) or 0.0)
        best = mean_of_datasets({e: values[top][e] for e in entities}) or 0.0
        if mine > best:
            first.append(TITLES[metric])
        else:
            rest.append(f"{TITLES[metric]} ({top})")
    if not first and not rest:
        return "not testable here", "no results of AMAD and a peer on the same entities"
    word = "reproduced" if len(first) > len(rest) else "not reproduced"
    said = f"default preset, size {size}: first on {len(first)} of {len(first) + len(rest)} metrics"
    return word, f"{said}{': ' + ', '.join(first) if first else ''}{'; not on ' + ', '.join(rest) if rest else ''}"


def recall(protocol: Sequence[Row], dataset: str) -> tuple[str, str]:
    """Reproduced where the `paper` preset reaches a recall of .9 under the published protocol; beside it, random."""
    found = {name: values_of(protocol, "recall").get(name, {}).get(f"{dataset}/all") for name in (PAPER, "random")}
    if found[PAPER] is None:
        reason = "the data cannot be had in full" if dataset == "PSM" else "the published protocol was not run on it"
        return "not testable here", reason
    word = "reproduced" if found[PAPER] >= STRONG_RECALL else "not reproduced"
    beside = "" if found["random"] is None else f"; random scores: {number(found['random'])}"
    return word, f"point-adjusted recall of the `paper` preset {number(found[PAPER])}{beside}"


def robust(size: str, rows: Sequence[Row]) -> tuple[str, str]:
    """Reproduced where the default is above random on every dataset and nowhere far (.05) behind the best peer."""
    metric = RANKING[0]
    values = values_of(rows, metric)
    if MINE not in values or "random" not in values:
        return "not testable here", "no results of AMAD and of random scores"
    entities = set(values[MINE])
    rivals = [name for name in complete(values, entities) if not is_mine(name)]
    below, far = [], []
    means = {name: {d: sum(v) / len(v) for d, v in by_dataset(values[name]).items()} for name in (MINE, *rivals)}
    for dataset, mine in means[MINE].items():
        best = max(rivals, key=lambda name: means[name][dataset])
        if "random" in means and mine <= means["random"][dataset]:
            below.append(dataset)
        if mine < means[best][dataset] - NEAR:
            far.append(f"{dataset} ({best} {number(means[best][dataset])}, AMAD {number(mine)})")
    count = len(means[MINE])
    said = f"default preset, size {size}: above random on {count - len(below)} of {count} datasets"
    if far:
        said += f"; more than {number(NEAR, 2)} behind the best peer on {', '.join(far)}"
    return ("not reproduced" if below or far else "reproduced"), said
