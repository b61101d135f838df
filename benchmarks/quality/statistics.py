"""What is computed over rows of results: means of dataset means, ranks, critical difference, wins and losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Row = Mapping[str, Any]
Values = dict[str, dict[str, float]]  # method -> entity -> value, mean over seeds
LEVEL = 0.05


def values_of(rows: Iterable[Row], metric: str) -> Values:
    """One metric by method and entity, the mean over seeds; undefined ones are left out."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        value = row.get("metrics", {}).get(metric)
        if value is not None:
            found.setdefault(row["method"], {}).setdefault(row["entity"], []).append(float(value))
    return {method: {name: float(np.mean(v)) for name, v in each.items()} for method, each in found.items()}


def dataset_of(entity: str) -> str:
    """The dataset of dataset/entity."""
    return entity.split("/")[0]


def by_dataset(each: Mapping[str, float]) -> dict[str, list[float]]:
    """Values of entities by dataset."""
    found: dict[str, list[float]] = {}
    for entity in sorted(each):
        found.setdefault(dataset_of(entity), []).append(each[entity])
    return found


def mean_of_datasets(each: Mapping[str, float]) -> float | None:
    """Mean over datasets of the mean over their entities; None for nothing."""
    groups = by_dataset(each)
    return float(np.mean([np.mean(values) for values in groups.values()])) if groups else None


def spread_over_seeds(rows: Iterable[Row], method: str, metric: str) -> float | None:
    """Standard deviation over seeds of the mean of dataset means; None with fewer than two seeds on the same entities."""
    seeds: dict[int, dict[str, float]] = {}
    for row in rows:
        value = row.get("metrics", {}).get(metric)
        if row["method"] == method and value is not None:
            seeds.setdefault(row["seed"], {})[row["entity"]] = float(value)
    names = {frozenset(each) for each in seeds.values()}
    if len(seeds) < 2 or len(names) != 1:
        return None
    return float(np.std([mean_of_datasets(each) for each in seeds.values()], ddof=1))


def complete(values: Values, entities: Iterable[str]) -> list[str]:
    """Methods that have a value on every one of these entities."""
    wanted = set(entities)
    return [method for method, each in values.items() if wanted <= set(each)]


@dataclass(frozen=True)
class Ranks:
    """Mean ranks (1 is best) of methods over entities, Friedman's p, and Nemenyi's critical difference at 5 %."""

    mean: dict[str, float]
    entities: int
    p: float | None
    difference: float | None


def ranks(values: Values, methods: Sequence[str], entities: Sequence[str]) -> Ranks | None:
    """Ranks of methods that have a value on every entity; ties share their mean rank. None for nothing to rank."""
    if len(methods) < 2 or not entities:
        return None
    table = np.array([[values[method][entity] for method in methods] for entity in entities])  # (entities, methods)
    placed = stats.rankdata(-table, axis=1)
    mean = dict(zip(methods, placed.mean(axis=0).tolist(), strict=True))
    if len(methods) < 3 or len(entities) < 3:
        return Ranks(mean, len(entities), None, None)
    _, p = stats.friedmanchisquare(*table.T)
    k = len(methods)
    point = float(stats.studentized_range.ppf(1 - LEVEL, k, np.inf)) / math.sqrt(2)
    return Ranks(mean, len(entities), float(p), point * math.sqrt(k * (k + 1) / (6 * len(entities))))


@dataclass(frozen=True)
class Duel:
    """One method against another: entities won, tied within `TIE`, lost; mean of dataset means of the difference; p."""

    wins: int
    ties: int
    losses: int
    difference: float
    p: float | None


TIE = 0.01


def duel(values: Values, mine: str, other: str) -> Duel | None:
    """On the entities that both have; p is of Wilcoxon's signed-rank test, two-sided. None without a common entity."""
    common = sorted(set(values.get(mine, {})) & set(values.get(other, {})))
    if not common:
        return None
    gaps = {entity: values[mine][entity] - values[other][entity] for entity in common}
    array = np.array(list(gaps.values()))
    p = float(stats.wilcoxon(array).pvalue) if len(array) >= 6 and np.abs(array).max() > 0 else None
    wins, losses = int((array > TIE).sum()), int((array < -TIE).sum())
    return Duel(wins, len(array) - wins - losses, losses, float(mean_of_datasets(gaps) or 0.0), p)


def first_or_near(values: Values, mine: str, others: Sequence[str]) -> dict[str, tuple[float, str, float]]:
    """By dataset: my mean, and name and mean of the best other, on datasets where all have every entity of mine."""
    found = {}
    for dataset in by_dataset(values.get(mine, {})):
        names = [entity for entity in values[mine] if dataset_of(entity) == dataset]
        rivals = {
            other: float(np.mean([values[other][entity] for entity in names]))
            for other in others
            if other in values and set(names) <= set(values[other])
        }
        if rivals:
            best = max(rivals, key=lambda other: rivals[other])
            found[dataset] = (float(np.mean([values[mine][entity] for entity in names])), best, rivals[best])
    return found
