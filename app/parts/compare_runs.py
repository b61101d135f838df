"""What can be compared on a series: its runs, those that could be started, and the comparison of the chosen ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from amad import jobs
from amad.config import AMAD, PRESETS, make_config
from amad.errors import AmadError
from amad.evaluation.ablations import ABLATIONS, ablate
from amad.evaluation.baselines import NAMES, title_of
from amad.evaluation.compare import BEST, Comparison, Scored, comparison
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, progress, runs, workspace
from app.parts.events import KINDS

MOST_SHOWN = 10  # methods that are compared unless the user asks for more
FIRST = ("zscore", "pca", "delay-pca", "ridge", "iforest")  # the quick look: seconds each
# What a page on one run offers, but for what needs its own handle or what people judged there.
THRESHOLDS = {kind: name for kind, name in KINDS.items() if kind not in ("f1", "judged", "value")} | {BEST: KINDS["f1"]}


@dataclass(frozen=True)
class Wish:
    """Something that could be started: a baseline, a preset of AMAD, or an ablation of a run, by the name of its kind."""

    kind: str  # baseline, preset, ablation
    name: str

    @property
    def title(self) -> str:
        """What it is called."""
        if self.kind == "baseline":
            return title_of(self.name)
        return f"AMAD {self.name}" if self.kind == "preset" else ABLATIONS[self.name].title


def detector_of(run: RunRecord) -> str:
    """Which detector a run is; "amad" for those of AMAD."""
    return str(run.config.get("detector", AMAD))


def known(record: SeriesRecord) -> list[RunRecord]:
    """Runs that belong to a series or were scored on it: AMAD's first, then baselines in the order of the list."""
    store = workspace.get()
    order = {name: place for place, name in enumerate(NAMES)}
    found = [run for run in store.runs(record.id) if run.series_id == record.id or run.state == "done"]
    return sorted(
        found,
        key=lambda run: (order.get(detector_of(run).split("+")[0], -1), detector_of(run), -run.created.timestamp()),
    )


def labels(found: list[RunRecord]) -> dict[str, str]:
    """What each run is called here: a baseline by its title, with its run's name where there are several of it."""
    titles = {run.id: run.name if detector_of(run) == AMAD else title_of(detector_of(run)) for run in found}
    many = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return {
        run.id: f"{titles[run.id]} ({run.name})"
        if titles[run.id] in many and titles[run.id] != run.name
        else titles[run.id]
        for run in found
    }


def ready(run: RunRecord, record: SeriesRecord) -> bool:
    """Whether a run has scores of the series."""
    return run.state == "done" and workspace.get().has_scores(run.id, record.id)


def existing(record: SeriesRecord, detector: str) -> RunRecord | None:
    """The run of a baseline on the series' training part, finished or under way."""
    part = record.part or (0, record.rows)
    return next(
        (
            run
            for run in known(record)
            if detector_of(run) == detector and run.part == part and run.series_id == record.id
            and run.state in ("done", *progress.BUSY)
        ),
        None,
    )  # fmt: skip


def start(record: SeriesRecord, wishes: list[Wish], base: RunRecord | None) -> list[RunRecord]:
    """Queues a run for each wish, quick ones first; a baseline that is there already is not fitted again.

    base: the run that ablations are made of. Errors: InputError, JobError as of the workspace and the jobs.
    """
    store, begun = workspace.get(), []
    for wish in sorted(wishes, key=lambda one: ("baseline", "preset", "ablation").index(one.kind)):
        if wish.kind == "baseline":
            if (there := existing(record, wish.name)) is not None:
                begun.append(there)
                continue
            config, preset, name = (
                make_config("balanced", {"detector": wish.name}),
                wish.name,
                runs.next_name(wish.name),
            )
        elif wish.kind == "preset":
            config, preset, name = make_config(wish.name), wish.name, runs.next_name(wish.name)
        elif base is None:
            continue
        else:
            kept = dict(base.config)
            config, preset = ablate(make_config("balanced", kept), wish.name), base.preset
            name = f"{base.name}, {wish.title}"
        part = (
            base.part if wish.kind == "ablation" and base is not None and base.series_id == record.id else record.part
        )
        begun.append(store.create_run(record.id, name=name, preset=preset, config=config, part=part))
    for run in begun:
        if run.state != "done":
            jobs.submit(store, run.id)
    return begun


def possible_ablations(base: RunRecord | None) -> list[str]:
    """Ablations that would change something about a run."""
    if base is None or detector_of(base) != AMAD:
        return []
    config, found = make_config("balanced", base.config), []
    for name in ABLATIONS:
        try:
            ablate(config, name)
        except AmadError:
            continue
        found.append(name)
    return found


def presets() -> list[str]:
    """Presets of AMAD, the quickest first."""
    return sorted(PRESETS, key=lambda name: ("quick", "balanced", "paper").index(name))


@st.cache_resource(max_entries=64, show_spinner=False)
def _scored(run_id: str, series_id: str, version: str) -> Scored:
    from amad.detection.levels import training_evidence

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    return Scored(
        run.name,
        np.asarray(cached.column(run, record, "score")),
        training_evidence(store.run_folder(run.id)),
        seconds(run, record),
        calibrated=True,
    )


def seconds(run: RunRecord, record: SeriesRecord) -> tuple[float | None, float | None]:
    """Seconds that a run took to fit, and to score this series; None where nobody measured."""
    fit, score = run.cost.get("fit_seconds"), run.cost.get("score_seconds")
    rows = run.cost.get("scored_rows")
    per_row = score / rows if score and rows else None
    return (None if fit is None else float(fit)), (None if per_row is None else float(per_row) * record.rows)


@st.cache_resource(max_entries=8, show_spinner=False)
def _comparison(series_id: str, created: str, methods: tuple[tuple[str, str, str], ...]) -> Comparison:
    store = workspace.get()
    record = store.find_series(series_id)
    series = cached.series(record)
    scored, judged = [], np.ones(record.rows, bool)
    for run_id, label, version in methods:
        run = store.find_run(run_id)
        scored.append(replace(_scored(run_id, series_id, version), name=label))
        if run.series_id == series_id:
            judged[run.part[0] : run.part[1]] = False
    marks = None if series.labels is None else (np.asarray(series.labels) > 0).astype(np.int8)
    time = series.time if hasattr(series.time, "tz") else None
    return comparison(scored, judged if judged.any() else ~judged, marks, time=time)


def compared(record: SeriesRecord, chosen: list[RunRecord], named: dict[str, str]) -> Comparison:
    """The comparison of runs that have scores; kept while none of them is written anew. Errors: AmadError."""
    methods = tuple((run.id, named[run.id], f"{run.finished} {run.cost}") for run in chosen)
    return _comparison(record.id, str(record.created), methods)


def bundled(record: SeriesRecord) -> bool:
    """Whether finished baselines of this bundled series lie beside it, and are not in the workspace yet."""
    from amad.workspace.demos import missing_baselines

    return bool(missing_baselines(workspace.get(), record))


def take_bundled(record: SeriesRecord) -> list[Any]:
    """Takes the bundled baselines in: a moment, nothing is fitted."""
    from amad.workspace.demos import add_baselines

    return list(add_baselines(workspace.get(), record))
