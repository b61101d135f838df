"""Running methods on entities: what is cached is taken from there, the rest goes to one process a core, each with one thread."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from amad.errors import AmadError
from benchmarks.quality.measure import deviation_hits, measure
from benchmarks.quality.methods import Method, Missing
from benchmarks.quality.sources import Data, Entity
from benchmarks.quality.store import Store, data_key, method_key, parts
from benchmarks.quality.versions import version

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
USUAL_SECONDS = 10.0  # for 10,000 rows, of a method that nothing is known of yet

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One method with one seed on one entity; `rows` of both parts together."""

    entity: str
    method: str
    seed: int
    rows: int


def run(
    entities: Mapping[str, Entity],
    methods: Sequence[Method],
    seeds: Sequence[int] | None,
    store: Store,
    *,
    jobs: int = 2,
    limit: float | None = None,
    known: Sequence[Row] = (),
) -> Iterator[Row]:
    """Rows of metrics, one for entity, method (or variant) and seed; those that are cached first.

    `known`: rows of results that need not be made again, where method, settings, data and metrics are those of today.

    All of seed 0 comes before all of seed 1, and one entity of each dataset before a second of any, so that an interrupted
    run says something about all. `jobs`: processes; 0 is this one.
    `limit`: no task is begun that many seconds after the start. A method that fails gives a row with `error`; one that cannot run here, with `missing`.
    """
    keys, sizes = {}, {}
    for name, entity in entities.items():
        data = entity.load()
        keys[name], sizes[name] = data_key(data), len(data.train) + len(data.test)
    tasks: list[Task] = []
    by_name = {method.name: method for method in methods}
    pace = Pace()
    there, skipped = _there(known), 0
    for task, method in _tasks(entities, methods, seeds, sizes):
        if (task.entity, task.method, task.seed, method_key(method), keys[task.entity]) in there:
            skipped += 1
            continue
        path = store.path(task.entity, method, task.seed, keys[task.entity])
        rows = store.read_metrics(path, version("metrics"))
        if rows is None:
            tasks.append(task)
        else:
            pace.add(task, sum(rows[0].get("seconds") or [0.0]))
            yield from rows
    if skipped:
        tell(f"{skipped:,} stand in the results already; another folder of results measures them again.")
    begun = time.monotonic()
    done = 0
    with _pool(jobs) as pool:
        waiting = list(tasks)
        running: dict[concurrent.futures.Future[list[Row]], Task] = {}
        while waiting or running:
            while waiting and len(running) < max(jobs, 1) and not (limit and time.monotonic() - begun > limit):
                task = waiting.pop(0)
                running[
                    pool.submit(work, entities[task.entity], by_name[task.method], task, store, keys[task.entity])
                ] = task
            if not running:
                tell(f"The time limit is reached: {len(waiting)} of {len(tasks)} were not begun.")
                return
            finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                rows = future.result()
                done += 1
                pace.add(task, sum(rows[0].get("seconds") or [0.0]))
                left = pace.left([*waiting, *running.values()]) / max(jobs, 1)
                tell(
                    f"{done}/{len(tasks)} {task.entity} · {task.method} · seed {task.seed}: {_said(rows[0])}; {_time(left)} left"
                )
                yield from rows


def _there(known: Sequence[Row]) -> set[tuple[Any, ...]]:
    """Entity, method, seed and both keys of what was measured with today's metrics."""
    today = version("metrics")
    return {
        (row["entity"], row["of"], row["seed"], row["key"], row["data"])
        for row in known
        if "metrics" in row and row.get("measured") == today and "data" in row
    }


class Pace:
    """Seconds that methods took, to say how long the rest will take."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.rows: dict[str, int] = {}

    def add(self, task: Task, seconds: float) -> None:
        """One task is done."""
        self.seconds[task.method] = self.seconds.get(task.method, 0.0) + seconds
        self.rows[task.method] = self.rows.get(task.method, 0) + task.rows

    def left(self, tasks: Sequence[Task]) -> float:
        """Seconds of one process for these tasks."""
        total_rows = sum(self.rows.values())
        usual = sum(self.seconds.values()) / total_rows if total_rows else USUAL_SECONDS / 10_000
        return sum(
            task.rows * (self.seconds[task.method] / self.rows[task.method] if task.method in self.rows else usual)
            for task in tasks
        )


def work(entity: Entity, method: Method, task: Task, store: Store, key: str) -> list[Row]:
    """One task in a process of its own: scores from the cache or made, then metrics; both are kept."""
    data = _load(entity)
    path = store.path(task.entity, method, task.seed, key)
    common = {"entity": task.entity, "seed": task.seed, "of": task.method, "key": method_key(method)}
    common |= {"measured": version("metrics"), "data": key}
    result = store.read(path)
    if result is None:
        try:
            with np.errstate(all="ignore"):
                result = method.fit_score(data.train, data.test, task.seed)
            store.write(path, result, bool(data.causes))
        except Missing as reason:
            return [{**common, "method": task.method, "missing": str(reason)}]
        except Exception as error:  # one method's fault must not end the run of all
            traceback.print_exc()
            return [{**common, "method": task.method, "error": f"{type(error).__name__}: {error}"[:300]}]
    rows = []
    for name, part in parts(result, task.method).items():
        row = {**common, "method": name, "seconds": [round(value, 3) for value in result.seconds]}
        row |= {"rows": [len(data.train), len(data.test)], "channels": data.test.shape[1]}
        try:
            rows.append(row | {"metrics": measure(part, data)})
        except AmadError as error:
            rows.append(row | {"error": str(error)})
    if all("metrics" in row for row in rows):
        store.write_metrics(path, version("metrics"), rows)
    return rows


def reference_hits(entities: Mapping[str, Entity]) -> dict[str, dict[str, float]]:
    """HitRates of the largest squared deviation, for entities whose events have published channels."""
    found = {name: deviation_hits(entity.load()) for name, entity in entities.items()}
    return {name: value for name, value in found.items() if value is not None}


def tell(text: str) -> None:
    """Progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def _tasks(
    entities: Mapping[str, Entity], methods: Sequence[Method], seeds: Sequence[int] | None, sizes: Mapping[str, int]
) -> Iterator[tuple[Task, Method]]:
    every = sorted({seed for method in methods for seed in method.seeds} if seeds is None else set(seeds))
    for seed in every:
        for method in methods:
            if seed in method.seeds:
                for name in turns(sizes):
                    yield Task(name, method.name, seed, sizes[name]), method


class _Here(concurrent.futures.Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        done.set_result(fn(*args, **kwargs))
        return done


def turns(sizes: Mapping[str, int]) -> list[str]:
    """Entities in the order in which they are run: the shortest of each dataset, then the second of each, and so on."""
    place: dict[str, int] = {}
    found = []
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        dataset = name.split("/")[0]
        found.append((place.get(dataset, 0), sizes[name], name))
        place[dataset] = place.get(dataset, 0) + 1
    return [name for _, _, name in sorted(found)]


def _pool(jobs: int) -> concurrent.futures.Executor:
    if jobs == 0:
        return _Here()
    for name in THREADS:  # inherited by the processes, which import numpy anew
        os.environ[name] = "1"
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context, initializer=_one_thread)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@lru_cache(maxsize=2)
def _load(entity: Entity) -> Data:
    return entity.load()


def _said(row: Row) -> str:
    if "metrics" not in row:
        return row.get("missing") or row["error"]
    value = next((row["metrics"][name] for name in ("vus_pr", "auc_pr") if row["metrics"].get(name) is not None), None)
    return f"{sum(row['seconds']):.1f} s, {'-' if value is None else f'{value:.3f}'}"


def _time(seconds: float) -> str:
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
