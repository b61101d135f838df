"""Tables in Markdown from rows of results: one function a table, nothing but stored numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.quality.entities import HALVES, half
from benchmarks.quality.measure import AT_THRESHOLD, RANKING
from benchmarks.quality.statistics import (
    TIE,
    Ranks,
    Values,
    by_dataset,
    complete,
    dataset_of,
    duel,
    first_or_near,
    mean_of_datasets,
    spread_over_seeds,
    values_of,
)

Row = Mapping[str, Any]
MINE = "AMAD"
RECIPE = "+recipe"  # ends the name of a method whose errors are under the score recipe of AMAD
REFERENCE = "largest squared deviation"
TITLES = {
    "vus_pr": "VUS-PR", "vus_roc": "VUS-ROC", "auc_pr": "AUC-PR", "auc_roc": "AUC-ROC", "point_f1": "point F1",
    "event_f1": "event F1", "affiliation_f1": "affiliation F1",
}  # fmt: skip


def is_mine(method: str) -> bool:
    """Whether it is AMAD, one of its parts, or an ablation."""
    return method == MINE or method.startswith(f"{MINE} ")


def primary(rows: Iterable[Row]) -> str:
    """VUS-PR, or the first of the ranking metrics that these rows have."""
    present = {name for row in rows for name, value in row.get("metrics", {}).items() if value is not None}
    return next((name for name in RANKING if name in present), RANKING[0])


def number(value: float | None, digits: int = 3) -> str:
    """`.123`, `1.000`, `-.012`, or an en dash for nothing."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and not text.lstrip("-").startswith("1") else text


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A table; the row of AMAD is bold."""
    found = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for cells in lines:
        shown = [f"**{cell}**" if cells[0] == MINE and cell not in ("–", "") else cell for cell in cells]
        found.append(f"| {' | '.join(shown)} |")
    return found


def order(values: Values, methods: Iterable[str]) -> list[str]:
    """Methods by their mean of dataset means, best first."""
    return sorted(methods, key=lambda method: -(mean_of_datasets(values.get(method, {})) or 0.0))


def overall(rows: Sequence[Row], methods: Sequence[str], ranked: Ranks | None) -> list[str]:
    """Every metric as mean of dataset means, VUS-PR on both halves, and the mean rank."""
    tables = {metric: values_of(rows, metric) for metric in (*RANKING, *AT_THRESHOLD)}
    first = primary(rows)
    head = ["method", TITLES[first], *HALVES, *(TITLES[name] for name in tables if name != first), "rank"]
    lines = []
    for method in order(tables[first], methods):
        mine = tables[first][method]
        spread = spread_over_seeds(rows, method, first)
        parts = [
            mean_of_datasets({name: value for name, value in mine.items() if half(name) == part}) for part in HALVES
        ]
        cells = [method, number(mean_of_datasets(mine)) + ("" if spread is None else f" ± {number(spread)}")]
        cells += [number(value) for value in parts]
        cells += [number(mean_of_datasets(tables[name].get(method, {}))) for name in tables if name != first]
        lines.append([*cells, f"{ranked.mean[method]:.1f}" if ranked and method in ranked.mean else "–"])
    return markdown(head, lines)


def datasets(rows: Sequence[Row], methods: Sequence[str], metric: str) -> list[str]:
    """Mean and median of one metric by dataset."""
    values = values_of(rows, metric)
    sizes = {name: len(each) for name, each in by_dataset({e: 0.0 for m in methods for e in values[m]}).items()}
    lines = []
    for method in order(values, methods):
        groups = by_dataset(values[method])
        cells = [
            number(float(np.mean(groups[name]))) + (f" ({number(float(np.median(groups[name])))})" if size > 2 else "")
            if name in groups
            else "–"
            for name, size in sizes.items()
        ]
        lines.append([method, *cells])
    return markdown(["method", *(f"{name} ({size})" for name, size in sizes.items())], lines)


def duels(rows: Sequence[Row], others: Sequence[str], metric: str) -> list[str]:
    """AMAD against each other method: entities won, level within .01, lost."""
    values = values_of(rows, metric)
    lines = []
    for other in order(values, others):
        found = duel(values, MINE, other)
        if found:
            p = "–" if found.p is None else ("< .001" if found.p < 0.001 else number(found.p))
            lines.append([other, str(found.wins), str(found.ties), str(found.losses), number(found.difference), p])
    return markdown(["against", "won", f"within {number(TIE, 2)}", "lost", "mean difference", "p (Wilcoxon)"], lines)


def losses(rows: Sequence[Row], others: Sequence[str], metric: str, most: int = 15) -> list[str]:
    """The entities on which AMAD is farthest behind the best other method, that method, and on how many it is behind."""
    values = values_of(rows, metric)
    found = []
    for entity, mine in values.get(MINE, {}).items():
        rivals = {other: values[other][entity] for other in others if entity in values.get(other, {})}
        if rivals:
            best = max(rivals, key=lambda other: rivals[other])
            if rivals[best] - mine > TIE:
                found.append((rivals[best] - mine, entity, mine, best, rivals[best]))
    found.sort(reverse=True)
    lines = [[entity, half(entity), number(mine), best, number(top)] for _, entity, mine, best, top in found[:most]]
    if not lines:
        return ["AMAD is first or within .01 of it on every entity."]
    table = markdown(["entity", "half", "AMAD", "best other", "its value"], lines)
    total = len(values[MINE])
    said = f"Behind the best other method by more than {number(TIE, 2)} on {len(found)} of {total} entities"
    return [f"{said}; the {len(lines)} widest gaps:" if len(found) > most else f"{said}:", "", *table]


def leading(rows: Sequence[Row], others: Sequence[str], metric: str) -> list[str]:
    """By dataset: AMAD, the best of the methods by themselves, and the best of those under AMAD's recipe too."""
    values = values_of(rows, metric)
    alone = first_or_near(values, MINE, [other for other in others if not other.endswith(RECIPE)])
    everyone = first_or_near(values, MINE, others)
    lines = []
    for name, (mine, best, top) in everyone.items():
        cells = [name, number(mine)]
        for rival, value in (alone[name][1:] if name in alone else ("–", None), (best, top)):
            cells += [rival, number(value), "–" if value is None else "yes" if mine >= value - TIE else "no"]
        lines.append(cells)
    near, nearer = (sum(mine >= top - TIE for mine, _, top in found.values()) for found in (everyone, alone))
    said = (
        f"AMAD is first or within {number(TIE, 2)} of it on {nearer} of {len(alone)} datasets, among the methods with their "
        f"own scores, smoothed ones and the fused pair; on {near} of {len(everyone)} where the errors of the same methods "
        f"under AMAD's recipe (`{RECIPE}`) count as methods too."
    )
    head = ["dataset", "AMAD", "best other", "its value", "near", f"best with {RECIPE}", "its value", "near"]
    return [said, "", *markdown(head, lines)]


def against_default(rows: Sequence[Row], methods: Sequence[str], metric: str) -> list[str]:
    """Ablations and parts beside the default, on the entities and seeds that both have."""
    lines = []
    for method in methods:
        shared = {(row["entity"], row["seed"]) for row in rows if row["method"] == method and "metrics" in row}
        both = [row for row in rows if row["method"] in (method, MINE) and (row["entity"], row["seed"]) in shared]
        values = values_of(both, metric)
        found = duel(values, MINE, method)
        if found is None:
            continue
        own = {name: values[method][name] for name in values[method] if name in values[MINE]}
        default = {name: values[MINE][name] for name in own}
        seeds = len({row["seed"] for row in both})
        cells = [method.removeprefix(f"{MINE} "), number(mean_of_datasets(own)), number(mean_of_datasets(default))]
        cells += [number(mean_of_datasets(own) - mean_of_datasets(default)), f"{found.losses} / {found.wins}"]
        lines.append([*cells, f"{len(own)} x {seeds}"])
    lines.sort(key=lambda cells: -float(cells[3].replace("–", "0")))
    head = ["what is changed", TITLES[metric], "default there", "difference", "better / worse", "entities x seeds"]
    return markdown(head, lines)


def attribution(rows: Sequence[Row]) -> list[str]:
    """HitRate and NDCG of channel shares with the events given, mean over the entities of a dataset."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        for name, value in (row.get("metrics", {}).get("hits") or {}).items():
            place = found.setdefault(row["method"], {}).setdefault(dataset_of(row["entity"]), {})
            place.setdefault(name, []).append(value)
    names = sorted({dataset for each in found.values() for dataset in each}, reverse=True)
    kinds = {"HitRate": ("hit_100", "hit_150"), "NDCG": ("ndcg_100", "ndcg_150")}
    lines = []
    for method, each in found.items():
        cells = [
            " / ".join(
                number(float(np.mean(each[name][key])) if key in each.get(name, {}) else None, 2) for key in keys
            )
            for name in names
            for keys in kinds.values()
        ]
        lines.append([method, *cells])
    lines.sort(key=lambda cells: (cells[0] != MINE, cells[0] == REFERENCE, cells[0]))
    return markdown(["channel shares of", *(f"{name} {kind}" for name in names for kind in kinds)], lines)


def alarms(rows: Sequence[Row], methods: Sequence[str]) -> list[str]:
    """Promised and found share of normal test rows above the default threshold, by dataset."""
    found = values_of(rows, "false_alarms")
    promised = values_of(rows, "promised")
    names = list(by_dataset({e: 0.0 for m in methods for e in found.get(m, {})}))
    lines = []
    for method in methods:
        groups = by_dataset(found.get(method, {}))
        said = list(promised.get(method, {}).values())
        cells = [percent(float(np.mean(said)) if said else None), percent(mean_of_datasets(found.get(method, {})))]
        lines.append(
            [method, *cells, *(percent(float(np.mean(groups[name])) if name in groups else None) for name in names)]
        )
    return markdown(["method", "promised", "found", *names], lines)


def percent(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def costs(rows: Sequence[Row], methods: Sequence[str]) -> list[str]:
    """Seconds to fit, and test rows scored a second: medians over entities and seeds."""
    lines = []
    for method in methods:
        mine = [row for row in rows if row["method"] == method and "seconds" in row]
        if mine:
            fit = float(np.median([row["seconds"][0] for row in mine]))
            rate = float(np.median([row["rows"][1] / max(row["seconds"][1], 1e-3) for row in mine]))
            lines.append([method, f"{fit:.2f}" if fit < 10 else f"{fit:.0f}", f"{float(f'{rate:.2g}'):,.0f}"])
    return markdown(["method", "seconds to fit", "rows scored a second"], lines)


def adjusted(rows: Sequence[Row], methods: Sequence[str]) -> list[str]:
    """Point-adjusted F1 at the default threshold, and what a random score reaches at its best one."""
    own, random = values_of(rows, "pa_f1"), values_of(rows, "pa_f1_random")
    lines = [
        [method, number(mean_of_datasets(own.get(method, {}))), number(mean_of_datasets(random.get(method, {})))]
        for method in methods
    ]
    return markdown(["method", "PA-F1", "PA-F1 of random scores"], lines)


def partial(rows: Sequence[Row], entities: Sequence[str], metric: str) -> list[str]:
    """Methods that lack some entity: their mean there, and that of AMAD on the same entities."""
    values = values_of(rows, metric)
    whole = set(complete(values, entities))
    lines = []
    for method in order(values, [name for name in values if name not in whole and not is_mine(name)]):
        common = {name: values[MINE][name] for name in values[method] if name in values.get(MINE, {})}
        there = {name: values[method][name] for name in common}
        cells = [method, f"{len(values[method])} of {len(entities)}"]
        lines.append([*cells, number(mean_of_datasets(there)), number(mean_of_datasets(common))])
    return markdown(["method", "entities", TITLES[metric], "AMAD on the same"], lines) if lines else []
