"""The page of tables, `docs/quality.md`, and its pictures: generated from stored results, with the notes of `docs/quality-notes.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import claims, picture, registry, results, tables
from benchmarks.quality.statistics import Ranks, complete, ranks, values_of
from benchmarks.quality.store import method_key
from benchmarks.quality.tables import MINE, REFERENCE, TITLES, is_mine
from benchmarks.quality.versions import version

PAGE = Path(__file__).parents[2] / "docs" / "quality.md"
NOTES = "quality-notes.md"
COMMANDS = {
    "core": "python -m benchmarks.quality --data DIR --size core",
    "full": "python -m benchmarks.quality --data DIR --size full",
    "planted": "python -m benchmarks.quality --planted",
    "paper": "python -m benchmarks.quality --data DIR --protocol paper",
}
Row = dict[str, Any]

OPENING = """Made by `python -m benchmarks.quality --report --docs docs/quality.md` from the files in `benchmarks/results/`; what is
written by hand stands in `docs/quality-notes.md`. One setting for all, each entity trained on its own training part and
scored on its test part, no label used before the metric. Metrics are those of the raw score of the test rows, VUS with
windows up to 100 rows; point, event and affiliation F1 are at the default threshold of AMAD over each method's own scores,
`capped:0.99`: the 99 % quantile of its training scores, raised until at most 5 % of the test rows lie above it. Means are means of dataset means; a value ± another is the mean and
the deviation over seeds 0, 1, 2. Entities were divided once, by a seed, into a half to tune on and a half to confirm on
(`benchmarks/quality/entities.json`). A method's name alone is its own score, `+recipe` the same errors under the score
recipe of AMAD ([method](method.md), 6), `+smoothed` its score under AMAD's moving average. Size `core`: test parts of more
than 20,000 rows are cut to the stretch of that length with the most whole events, training parts to their last 50,000
rows. Not ranked: SKAB and 3W (the position in the file is most of the label), Occupancy (presence of people, no fault).
MITDB is ranked, with a caveat: the interval around an abnormal beat is a choice of whoever made the labels into rows.
"""
ON_PARTS = """*alone*: one view as the score; *without* a view: the score of the others, from the same fit; all else is a fit of its
own. The difference is to the default on the same entities and seeds; below zero, the part brings something."""
ON_CHANNELS = """HitRate and NDCG, @100 % / @150 %, of ranking channels inside an event, events given, against the published lists: by the mean
of a method's shares over the event; the last row by the largest squared deviation from the training mean."""
ON_ALARMS = """Share of normal test rows above the default threshold; rows within 61 of an event do not count. What is found above
what is promised comes from test parts that differ from their training part where no event is labelled."""
ON_ADJUSTING = """Counting a whole event as found once one of its rows is flagged makes random scores look good: the right column is
what a random score reaches at its own best threshold. The left one proves nothing without it."""
ON_COST = """Medians over entities. Two processes with one thread each ran side by side on a machine that was used for other work
as well: these numbers order the methods, they measure none (see the speed benchmark for that)."""


def write(page: Path, folder: Path) -> None:
    """Writes the page and the pictures beside it."""
    from benchmarks.quality import paper, planted

    rows, left = {}, {}
    for name in COMMANDS:
        rows[name], left[name] = current(results.read(results.path_of(name, folder)))
    parts = ["# Detection quality", "", OPENING]
    for size in ("core", "full"):
        parts += _size(size, rows[size], left[size], folder, page)
    for name, title, tell in (
        ("planted", "Planted anomalies", planted.report),
        ("paper", "The published protocol", paper.report),
    ):
        if any("metrics" in row for row in rows[name]):
            parts += [f"## {title}", "", _made(name, folder), "", *tell(rows[name]), ""]
    parts += ["## What the paper claims", "", *claims.report(_larger(rows), rows["paper"]), ""]
    notes = page.parent / NOTES
    if notes.is_file():
        parts += [notes.read_text(encoding="utf-8").strip(), ""]
    page.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def summary(rows: Sequence[Row]) -> str:
    """What is printed after a run: every metric, then VUS-PR by dataset."""
    shown, _ = current(list(rows))
    measured = [row for row in shown if _ranked(row)]
    if not measured:
        return "Nothing was measured."
    metric = tables.primary(measured)
    values = values_of(measured, metric)
    entities = sorted({row["entity"] for row in measured})
    whole = complete(values, entities)
    ranked = ranks(values, [name for name in whole if not is_mine(name) or name == MINE], entities)
    lines = tables.overall(measured, list(values), ranked)
    return "\n".join([*_aligned(lines), "", TITLES[metric], *_aligned(tables.datasets(measured, list(values), metric))])


def current(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Rows that today's methods and metrics would give, and the names of methods whose rows are older than that."""
    keys = {method.name: method_key(method) for method in registry.everything()}
    shown, left = [], set()
    for row in rows:
        if row["method"] == REFERENCE or (
            keys.get(row["of"]) == row["key"] and row.get("measured", version("metrics")) == version("metrics")
        ):
            shown.append(row)
        else:
            left.add(row["of"])
    return shown, sorted(left)


def _size(size: str, rows: list[Row], left: list[str], folder: Path, page: Path) -> list[str]:
    """The part of the page on one size; where AMAD was not run on every entity, on those where it was."""
    measured = [row for row in rows if _ranked(row)]
    if not measured:
        return []
    every = {row["entity"] for row in measured}
    entities = sorted({row["entity"] for row in measured if row["method"] == MINE} or every)
    measured = [row for row in measured if row["entity"] in entities]
    metric = tables.primary(measured)
    values = values_of(measured, metric)
    whole = tables.order(values, complete(values, entities))
    peers = [name for name in whole if not is_mine(name)]
    shown = [name for name in whole if name == MINE or name in peers]
    ranked = ranks(values, shown, entities)
    parts = [f"## Size `{size}`: {len(entities)} entities", "", _made(size, folder), ""]
    if len(every) > len(entities):
        parts += [f"Other methods were run on {len(every)} entities; the tables hold those on which AMAD was.", ""]
    parts += [*tables.overall(measured, shown, ranked), ""]
    parts += [f"### {TITLES[metric]} by dataset: mean (median)", "", *tables.datasets(measured, shown, metric), ""]
    if ranked and ranked.difference is not None:
        parts += _ranking(size, ranked, TITLES[metric], page)
    if MINE in values:
        parts += _on_mine(measured, peers, [name for name in values if is_mine(name) and name != MINE], metric)
    own = (MINE, f"{MINE} without network")  # an ablation says nothing here that its score does not
    hits = [
        row
        for row in rows
        if row["entity"] in entities
        and (row.get("metrics") or {}).get("hits")
        and (row["method"] in own or not is_mine(row["method"]))
    ]
    if hits:
        parts += ["### Channels", "", ON_CHANNELS, "", *tables.attribution(hits), ""]
    parts += ["### False alarms: promised and found", "", ON_ALARMS, "", *tables.alarms(measured, shown), ""]
    parts += ["### Point-adjusted F1", "", ON_ADJUSTING, "", *tables.adjusted(measured, shown), ""]
    parts += ["### Cost", "", ON_COST, "", *tables.costs(measured, shown), ""]
    return [*parts, *_missing(rows, measured, entities, left, metric)]


def _ranking(size: str, ranked: Ranks, title: str, page: Path) -> list[str]:
    """The critical-difference picture, written beside the page, and what it says."""
    file = page.parent / f"quality-ranks-{size}.svg"
    said = f"Mean ranks by {title} over {ranked.entities} entities, size {size}"
    file.write_text(picture.critical_difference(ranked, said, MINE), encoding="utf-8")
    order = ", ".join(f"{name} {rank:.1f}" for name, rank in sorted(ranked.mean.items(), key=lambda item: item[1]))
    p = "p < .001" if ranked.p is not None and ranked.p < 0.001 else f"p = {tables.number(ranked.p)}"
    return [
        "### Ranks", "", f"![{said}: {order}]({file.name})", "",
        f"Friedman's test: {p}. Methods under one bar cannot be told apart at 5 % (Nemenyi; it takes entities for "
        "independent of each other, which those of one dataset are not quite).", "",
    ]  # fmt: skip


def _on_mine(measured: list[Row], peers: list[str], own: list[str], metric: str) -> list[str]:
    """AMAD beside the others, and its parts beside it."""
    title = TITLES[metric]
    parts = [f"### AMAD dataset by dataset ({title})", "", *tables.leading(measured, peers, metric), ""]
    parts += [f"### AMAD against each ({title})", "", *tables.duels(measured, peers, metric), ""]
    parts += ["### Where AMAD loses, and to whom", "", *tables.losses(measured, peers, metric), ""]
    if own:
        table = tables.against_default(measured, own, metric)
        parts += ["### Its parts, one by one", "", ON_PARTS, "", *table, ""]
    return parts


def _missing(rows: list[Row], measured: list[Row], entities: list[str], left: list[str], metric: str) -> list[str]:
    """What the tables above do not hold, and why."""
    parts: list[str] = []
    some = tables.partial(measured, entities, metric)
    if some:
        parts += ["Run on some of the entities only, and so in no table above:", "", *some, ""]
    reasons = {row["method"]: row["missing"] for row in rows if "missing" in row}
    parts += [f"- {name} cannot run here: {reason}." for name, reason in sorted(reasons.items())]
    failed = [(row["method"], row["entity"], row["error"]) for row in rows if "error" in row]
    parts += [f"- {method} failed on {entity}: {error}" for method, entity, error in sorted(set(failed))]
    absent = sorted({m.name for m in registry.everything()} - {row.get("of", "") for row in rows} - set(left))
    if absent:
        parts += [f"- Not run: {', '.join(absent)}."]
    few = fewer_seeds(measured)
    if few:
        parts += [f"- With fewer seeds than three so far: {', '.join(few)}."]
    if left:
        parts += [f"- Run before their code or settings changed, and not since: {', '.join(left)}."]
    return ["### What is missing", "", *parts, ""] if parts else []


def fewer_seeds(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Methods that are random and were run, but not with each of their seeds, with those that they were run with."""
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["of"], set()).add(row["seed"])
    return [
        f"{method.name} ({', '.join(map(str, sorted(found[method.name])))})"
        for method in registry.everything()
        if method.name in found and not set(method.seeds) <= found[method.name]
    ]


def _ranked(row: Mapping[str, Any]) -> bool:
    return "metrics" in row and row["method"] != REFERENCE


def _larger(rows: Mapping[str, list[Row]]) -> tuple[str, list[Row]]:
    """The size whose results hold more entities of AMAD."""
    count = {name: len({row["entity"] for row in rows[name] if row["method"] == MINE}) for name in ("core", "full")}
    name = max(count, key=lambda size: count[size])
    return name, [row for row in rows[name] if _ranked(row)]


def _made(name: str, folder: Path) -> str:
    made = results.made(results.path_of(name, folder))
    return f"`{COMMANDS[name]}`, last added to on {made['date']}; {made['machine']}; {made['versions']}."


def _aligned(lines: Sequence[str]) -> list[str]:
    """A table in Markdown as columns for a terminal."""
    cells = [[cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines if "---" not in line]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
