"""Numbers of the tables against the same worked out by hand or given in the literature, and pictures that are well formed."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from benchmarks.quality import claims, tables
from benchmarks.quality.picture import cliques, critical_difference
from benchmarks.quality.statistics import (
    complete,
    duel,
    first_or_near,
    mean_of_datasets,
    ranks,
    spread_over_seeds,
    values_of,
)


def row(method, entity, value, seed=0, **more):
    return {"method": method, "of": method, "entity": entity, "seed": seed, "metrics": {"vus_pr": value, **more}}


ROWS = [
    row("AMAD", "A/1", 0.2), row("AMAD", "A/1", 0.4, 1), row("AMAD", "A/2", 0.5), row("AMAD", "A/2", 0.7, 1),
    row("AMAD", "B/1", 0.9), row("AMAD", "B/1", 0.7, 1), row("x", "A/1", 0.1), row("x", "A/2", 0.7), row("x", "B/1", 0.805),
    row("y", "A/1", 0.35), row("y", "B/1", None), row("random", "A/1", 0.05), row("random", "A/2", 0.1), row("random", "B/1", 0.1),
]  # fmt: skip


def test_the_mean_is_that_of_dataset_means_over_means_of_seeds():
    values = values_of(ROWS, "vus_pr")
    assert values["AMAD"] == pytest.approx({"A/1": 0.3, "A/2": 0.6, "B/1": 0.8})
    assert mean_of_datasets(values["AMAD"]) == pytest.approx((0.45 + 0.8) / 2)
    assert mean_of_datasets({}) is None
    assert complete(values, ["A/1", "A/2", "B/1"]) == ["AMAD", "x", "random"]
    one, two = (0.35 + 0.9) / 2, (0.55 + 0.7) / 2
    assert spread_over_seeds(ROWS, "AMAD", "vus_pr") == pytest.approx(np.std([one, two], ddof=1))
    assert spread_over_seeds(ROWS, "x", "vus_pr") is None


def test_ranks_share_ties_and_the_difference_is_nemenyis():
    """Demsar 2006, table 5: q at 5 % is 1.960 for two methods, 2.569 for four, 3.164 for ten."""
    rng = np.random.default_rng(0)
    for count, q in ((3, 2.343), (4, 2.569), (10, 3.164)):
        methods = [f"m{index}" for index in range(count)]
        entities = [f"D/{index}" for index in range(14)]
        values = {method: dict(zip(entities, rng.random(14), strict=True)) for method in methods}
        found = ranks(values, methods, entities)
        assert found.difference == pytest.approx(q * math.sqrt(count * (count + 1) / (6 * 14)), rel=1e-3)
        assert sum(found.mean.values()) == pytest.approx(count * (count + 1) / 2)
    tied = {"a": {"D/1": 0.5, "D/2": 0.9}, "b": {"D/1": 0.5, "D/2": 0.1}}
    assert ranks(tied, ["a", "b"], ["D/1", "D/2"]).mean == {"a": 1.25, "b": 1.75}
    assert ranks(tied, ["a"], ["D/1"]) is None


def test_duels_count_what_lies_within_a_hundredth_as_level():
    found = duel(values_of(ROWS, "vus_pr"), "AMAD", "x")
    assert (found.wins, found.ties, found.losses) == (1, 1, 1)
    assert found.difference == pytest.approx(((0.2 - 0.1) / 2 - 0.005) / 2)
    assert found.p is None
    assert duel(values_of(ROWS, "vus_pr"), "AMAD", "nobody") is None
    near = first_or_near(values_of(ROWS, "vus_pr"), "AMAD", ["x", "y", "random"])
    assert (near["A"][1], near["B"][1]) == ("x", "x")
    assert near["A"][::2] == pytest.approx((0.45, 0.4))


def test_cliques_are_the_longest_runs_within_the_difference():
    assert cliques({"a": 1.0, "b": 1.5, "c": 2.1, "d": 4.0}, 1.0) == [(1.0, 1.5), (1.5, 2.1)]
    assert cliques({"a": 1.0, "b": 1.5, "c": 2.0}, 1.0) == [(1.0, 2.0)]
    assert cliques({"a": 1.0, "b": 3.0}, 1.0) == []


def test_the_picture_is_well_formed_and_names_every_method():
    rng = np.random.default_rng(1)
    methods = ["AMAD", "a <b>", *(f"m{index}" for index in range(9))]
    entities = [f"D/{index}" for index in range(12)]
    values = {method: dict(zip(entities, rng.random(12), strict=True)) for method in methods}
    text = critical_difference(ranks(values, methods, entities), "Mean ranks & more")
    root = ET.fromstring(text)
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    for method in methods:
        assert any(word.startswith(f"{method} ") for word in words)
    height, width = float(root.get("height")), float(root.get("width"))
    for element in root.iter():
        if element.tag.endswith("}text"):
            assert 0 <= float(element.get("x")) <= width
            assert 0 <= float(element.get("y")) <= height


def test_the_table_of_losses_names_entity_and_rival():
    lines = tables.losses(ROWS, ["x", "y", "random"], "vus_pr")
    assert lines[0] == "Behind the best other method by more than .01 on 2 of 3 entities:"
    assert lines[4].startswith("| A/2 |")
    assert lines[4].endswith("| .600 | x | .700 |")
    assert lines[5].endswith("| .300 | y | .350 |")
    assert tables.losses(ROWS, ["random"], "vus_pr") == ["AMAD is first or within .01 of it on every entity."]


def test_leading_counts_methods_by_themselves_and_under_the_recipe_apart():
    rows = [*ROWS, *(row("x+recipe", f"{name}", 0.9) for name in ("A/1", "A/2", "B/1"))]
    lines = tables.leading(rows, ["x", "x+recipe", "y", "random"], "vus_pr")
    assert lines[0].startswith("AMAD is first or within .01 of it on 2 of 2 datasets, among the methods with their own")
    assert " on 0 of 2 where the errors of the same methods under AMAD's recipe (`+recipe`) count" in lines[0]
    assert lines[4:] == [
        "| A | .450 | x | .400 | yes | x+recipe | .900 | no |",
        "| B | .800 | x | .805 | yes | x+recipe | .900 | no |",
    ]
    only = tables.leading(rows, ["x+recipe"], "vus_pr")
    assert only[0].startswith("AMAD is first or within .01 of it on 0 of 0 datasets")
    assert only[4] == "| A | .450 | – | – | – | x+recipe | .900 | no |"


def test_parts_are_compared_on_the_entities_and_seeds_they_share():
    rows = [*ROWS, row("AMAD without Max-Min", "A/1", 0.3), row("AMAD without Max-Min", "B/1", 0.8)]
    lines = tables.against_default(rows, ["AMAD without Max-Min"], "vus_pr")
    assert lines[2] == "| without Max-Min | .550 | .550 | .000 | 1 / 1 | 2 x 1 |"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, ".123"), (1.0, "1.000"), (-0.0121, "-.012"), (None, "–"), (0.0, ".000"), (0.9999, "1.000")],
)
def test_numbers_are_written_one_way(value, text):
    assert tables.number(value) == text


def test_claims_follow_the_numbers():
    best = dict.fromkeys(("vus_roc", "auc_pr", "auc_roc", "point_f1", "event_f1", "affiliation_f1"), 0.9)
    worse = dict.fromkeys(best, 0.5)
    rows = [{**each, "metrics": {**each["metrics"], **(best if each["method"] == "AMAD" else worse)}} for each in ROWS]
    lines = claims.report(("core", rows), [])
    assert lines[2].startswith(
        "| best on most metrics | reproduced | default preset, size core: first on 7 of 7 metrics"
    )
    assert lines[3] == "| strong recall on PSM | not testable here | the data cannot be had in full |"
    assert lines[5].startswith("| robust over diverse data | reproduced |")
    behind = [
        {**each, "metrics": {"vus_pr": 0.99 if each["method"] == "x" else each["metrics"]["vus_pr"]}} for each in rows
    ]
    lines = claims.report(("core", behind), [{**row(claims.PAPER, "SMAP/all", None), "metrics": {"recall": 0.95}}])
    assert lines[2].startswith("| best on most metrics | not reproduced |")
    assert lines[4] == "| strong recall on SMAP | reproduced | point-adjusted recall of the `paper` preset .950 |"
    assert lines[5].startswith("| robust over diverse data | not reproduced |")
