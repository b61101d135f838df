"""`python -m benchmarks.quality`: detection quality of AMAD and its peers on labelled series, one setting for all.

    python -m benchmarks.quality                                   eight bundled entities, AMAD and the light peers
    python -m benchmarks.quality --data DIR --size core            about 24 entities over all datasets, or --size full
    python -m benchmarks.quality --data DIR --methods amad,peers --entities SMD,ASD/omi-1 --seeds 0
    python -m benchmarks.quality --planted                         made series with anomalies of known kinds
    python -m benchmarks.quality --data DIR --protocol paper       the published protocol, with random beside it
    python -m benchmarks.quality --report                          docs/quality.md again, from stored results alone

DIR: <dataset>/<entity>/{train,test}.parquet, the published files of SMD, MSL, SMAP, PSM or SWaT, or files in the TSB-AD-M
format; which one is seen by itself. Each entity is learned on its own training part and scored on its test part; labels
are used for metrics alone. What was scored before is taken from the cache: a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from amad.errors import AmadError, InputError
from benchmarks.quality import registry, report, results
from benchmarks.quality.entities import listed, sized
from benchmarks.quality.ours import Amad
from benchmarks.quality.running import reference_hits, run
from benchmarks.quality.sources import BUNDLED, Entity, find
from benchmarks.quality.statistics import dataset_of
from benchmarks.quality.store import DEFAULT, Store

JOBS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 done, 2 when the call is wrong."""
    given = _parser().parse_args(arguments)
    try:
        if not given.report:
            _measure(given)
    except AmadError as error:
        print(error, file=sys.stderr)
        return 2
    if given.docs:
        report.write(given.docs, given.results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=BUNDLED, help="folder of labelled series; the bundled ones without it"
    )
    parser.add_argument("--size", choices=("core", "full"), default="core", help="core: some entities, long ones cut")
    parser.add_argument("--entities", help="dataset/entity names or datasets, separated by commas")
    parser.add_argument("--methods", help=f"names or groups ({', '.join(registry.GROUPS)}), separated by commas")
    parser.add_argument("--seeds", help="for example 0,1,2; each method's own without it")
    parser.add_argument("--quick", action="store_true", help="one entity of each dataset, seed 0")
    parser.add_argument("--planted", action="store_true", help="made series instead of data")
    parser.add_argument("--protocol", choices=("own", "paper"), default="own")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes, each with one thread; 0: in this one")
    parser.add_argument(
        "--device", default="cpu", help="where AMAD is trained and scored (cpu); peers of TSB-AD take a GPU unasked"
    )
    parser.add_argument("--cost-limit", type=float, metavar="MINUTES", help="begin nothing new after so long")
    parser.add_argument("--cache", type=Path, default=DEFAULT, help="folder of scores that were made before")
    parser.add_argument(
        "--results",
        type=Path,
        default=results.FOLDER,
        help="folder of the files of results; what stands there is not measured again",
    )
    parser.add_argument("--docs", type=Path, help="page of tables to write, from the files of results")
    parser.add_argument("--report", action="store_true", help="measure nothing, only write the page")
    return parser


def _measure(given: argparse.Namespace) -> None:
    seeds = _seeds(given.seeds) if given.seeds else ([0] if given.quick else None)
    store = Store(given.cache)
    if given.protocol == "paper":
        from benchmarks.quality import paper

        methods = registry.choose(given.methods.split(",")) if given.methods else paper.methods()
        entities = paper.joined(_chosen(find(given.data), given.entities, given.quick))
        name = "paper"
    elif given.planted:
        from benchmarks.quality import planted

        methods = registry.choose(given.methods.split(",") if given.methods else registry.DEFAULT)
        entities, name = _chosen(planted.entities(), given.entities, False), "planted"
    else:
        methods = registry.choose(given.methods.split(",") if given.methods else registry.DEFAULT)
        everything = find(given.data)
        entities = _chosen(sized(everything, given.size), given.entities, given.quick)
        name = _results_name(given.data, given.size, everything)
    methods = [replace(method, device=given.device) if isinstance(method, Amad) else method for method in methods]
    path = results.path_of(name, given.results)
    fresh: list[results.Row] = []
    try:
        for row in run(
            entities, methods, seeds, store, jobs=given.jobs, limit=given.cost_limit and given.cost_limit * 60,
            known=results.read(path),
        ):  # fmt: skip
            fresh.append(row)
            if len(fresh) % 25 == 0:
                results.merge(path, fresh)
    finally:
        results.merge(path, [*fresh, *_references(entities)])
    print(report.summary([row for row in results.read(path) if row["entity"] in entities]))


def _seeds(words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise InputError(f'"{words}" is not a list of seeds. Write them as 0,1,2.') from None


def _references(entities: Mapping[str, Entity]) -> list[results.Row]:
    """Rows of what channel shares are read against."""
    return [
        {"entity": entity, "method": report.REFERENCE, "seed": 0, "of": report.REFERENCE, "metrics": {"hits": found}}
        for entity, found in reference_hits(entities).items()
    ]


def _chosen(entities: Mapping[str, Entity], words: str | None, quick: bool) -> dict[str, Entity]:
    """Entities by name or dataset. Errors: InputError for a word that is neither."""
    chosen = dict(entities)
    if words:
        wanted = words.split(",")
        unknown = [word for word in wanted if not any(word in (name, dataset_of(name)) for name in entities)]
        if unknown:
            raise InputError(f'There is no entity or dataset "{unknown[0]}". There are {", ".join(entities)}.')
        chosen = {name: entity for name, entity in entities.items() if {name, dataset_of(name)} & set(wanted)}
    if quick:
        firsts = {dataset_of(name): name for name in reversed(list(chosen))}
        chosen = {name: entity for name, entity in chosen.items() if name in firsts.values()}
    return chosen


def _results_name(data: Path, size: str, entities: Mapping[str, Entity]) -> str:
    """`core` or `full` for the data whose halves are fixed; the folder's name for any other."""
    known = {*listed()["tuning"], *listed()["confirming"]}
    if data.resolve() != BUNDLED.resolve() and set(entities) <= known:
        return size
    return "bundled" if data.resolve() == BUNDLED.resolve() else registry.slug(data.resolve().name)


if __name__ == "__main__":
    raise SystemExit(main())
