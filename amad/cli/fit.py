"""`amad fit`: trains in the process that was called, and leaves a run that can be resumed whatever happens."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from amad.cli.data import open_workspace, read_file, read_series, store, store_series, wants_json
from amad.cli.output import ProgressLine, duration, say, show, show_json
from amad.errors import AmadError, InputError, JobError
from amad.workspace import RunRecord, SeriesRecord, Workspace

if TYPE_CHECKING:
    from amad.config import Config
    from amad.series import Series

_INTERRUPTED = 130


def fit(given: argparse.Namespace) -> int:
    """Trains on SERIES, or goes on with --resume; the last line on standard output is the run's id."""
    if given.series is None and given.resume is None:
        raise InputError("fit needs a SERIES: a file, or the name of a series in the workspace. See `amad fit --help`.")
    config = None if given.resume else _config(given)
    workspace = open_workspace(given)
    if config is not None and given.series is not None:
        from amad.cli import many

        if many.wanted(workspace, given):
            return many.fit(workspace, given, config)
    if config is None:
        run, also = _resumed(workspace, given)
        if run.state == "done":
            say(f'Run "{run.name}" is finished already.')
            return _end(workspace, run.id, given)
    else:
        run, also = _new_run(workspace, given, config)
    return _work(workspace, run, also, given)


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    from amad.config import parse_settings

    settings: dict[str, Any] = dict(parse_settings(given.set))
    for name in ("epochs", "device", "seed"):
        value = getattr(given, name)
        if value is not None:
            settings[name] = value
    if given.epochs is not None:
        settings.setdefault("max_steps", 0)  # whoever counts epochs wants all of them
    if given.detector is not None:
        if given.detector != "amad" and given.preset is not None:
            raise InputError("--preset is one of AMAD; a baseline has none. Leave --preset or --detector out.")
        settings["detector"] = given.detector
    return settings


def _config(given: argparse.Namespace) -> Config:
    from amad.config import make_config

    return make_config(given.preset or "balanced", _settings(given))


def _new_run(workspace: Workspace, given: argparse.Namespace, config: Config) -> tuple[RunRecord, tuple[str, ...]]:
    """Records series and run before anything heavy is loaded; the second part: series to be scored as well."""
    from amad.series import parse_part

    target = store_series(workspace, given.series, given)
    trained = target
    also: tuple[str, ...] = ()
    part = None
    if given.train_file is not None:
        trained = store(workspace, _read_training(given), given.train_file)
        part = (0, trained.rows)
        also = (target.id,) if target.id != trained.id else ()
        _same_channels(trained, target, config)
    elif given.train is not None:
        part = parse_part(given.train, trained.rows)
    start, stop = part or trained.part or (0, trained.rows)
    baseline = config.detector != "amad"
    if stop - start < config.window and not baseline:  # a baseline says itself what it needs
        raise InputError(
            f'The training part of "{trained.name}" has {stop - start:,} rows, fewer than one window of {config.window:,}. '
            "Train on more rows, or --set a shorter window."
        )
    run = workspace.create_run(
        trained.id,
        name=given.name,
        preset=config.detector if baseline else given.preset or "balanced",
        config=config,
        part=(start, stop),
        held=True,
    )
    if given.name is not None and run.name != given.name:
        say(f'The run is named "{run.name}".')
    _introduce(workspace, run, trained)
    return run, also


def _read_training(given: argparse.Namespace) -> Series:
    """The file of --train-file; it may well be without the labels that --label names in SERIES."""
    try:
        return read_file(given.train_file, given)
    except InputError:
        if given.label is None:
            raise
        return read_file(given.train_file, argparse.Namespace(**{**vars(given), "label": None}))


def _same_channels(trained: SeriesRecord, target: SeriesRecord, config: Config) -> None:
    """Says before training that the series to be scored lacks channels."""
    wanted = config.channels or trained.channels
    missing = [name for name in wanted if name not in target.channels]
    if missing:
        raise InputError(
            f'Series "{target.name}" lacks {len(missing)} of the {len(wanted)} channels of "{trained.name}": '
            f'{", ".join(missing[:12])}. Name those that both have with --set "channels=A;B".'
        )


def _resumed(workspace: Workspace, given: argparse.Namespace) -> tuple[RunRecord, tuple[str, ...]]:
    """The run to go on with; what else was said about it must be what it was started with."""
    from amad.config import make_config
    from amad.jobs.engine import free_of_holder
    from amad.series import parse_part
    from amad.workspace.files import checksum
    from amad.workspace.states import RESUMABLE

    workspace.states.mark_lost()
    run = workspace.find_run(given.resume)
    settings = _settings(given)
    if given.epochs is not None and run.config.get("max_steps") != 0:
        settings.pop("max_steps", None)
    kept = make_config("balanced", run.config)
    asked = make_config("balanced", {**run.config, **settings})
    changed = [name for name in settings if getattr(kept, name) != getattr(asked, name)]
    if given.preset and given.preset != run.preset:
        changed.append("preset")
    also: tuple[str, ...] = ()
    if given.train_file is not None and given.series is not None:
        also = (store_series(workspace, given.series, given).id,)
    elif given.series is not None and run.series_id is not None:
        series, record = read_series(workspace, given.series, given)
        trained = workspace.find_series(run.series_id)
        if record != trained and (record is not None or checksum(series) != trained.checksum):
            raise InputError(
                f'Run "{run.name}" trains on "{trained.name}", not on "{series.name}". '
                "Leave the series out, or start a new run."
            )
        if given.train is not None and parse_part(given.train, series.rows) != run.part:
            changed.append("train")
    if changed:
        raise InputError(
            f'Run "{run.name}" keeps the settings it was started with; {", ".join(changed)} differs. '
            "Leave that out, or start a new run."
        )
    if run.state in ("running", "stopping"):
        raise JobError(
            f'Run "{run.name}" is {run.state} in process {run.pid}. Stop it there first, or wait until it is done.'
        )
    free_of_holder(workspace, run)
    if run.state != "done":
        workspace.record("training asked for", run.id, one_more=run.state in RESUMABLE)
    return run, also


def _work(workspace: Workspace, run: RunRecord, also: tuple[str, ...], given: argparse.Namespace) -> int:
    from amad.jobs.work import work
    from amad.workspace.states import QUEUED, RESUMABLE
    from amad.workspace.tables import RunRow

    claim = workspace.states.claim(RunRow, run.id, states=(QUEUED, *RESUMABLE))
    if claim is None:
        raise JobError(f'Run "{run.name}" was just taken by another process.')
    began, line = time.monotonic(), ProgressLine()
    with stoppable() as asked:
        outcome = work(workspace, claim, on_progress=line, asked=asked, also=also)
    line.end()
    if outcome.state == "done":
        say(f'Run "{run.name}" is done after {duration(time.monotonic() - began)}; its scores are in the workspace.')
        return _end(workspace, run.id, given)
    if outcome.state == "stopped":
        say(f'Run "{run.name}" is stopped. Go on with: amad fit --resume {run.id}{_where(given)}')
        if wants_json(given):
            show_json(_result(workspace, run.id))
        return _INTERRUPTED
    if outcome.error is None or isinstance(outcome.error, AmadError):
        raise JobError(outcome.message)
    say(f"amad: {outcome.message}")
    return 1


def _end(workspace: Workspace, run_id: str, given: argparse.Namespace) -> int:
    if wants_json(given):
        show_json(_result(workspace, run_id))
    else:
        show(run_id)
    return 0


def _result(workspace: Workspace, run_id: str) -> dict[str, Any]:
    run = workspace.find_run(run_id)
    return {
        "id": run.id,
        "name": run.name,
        "state": run.state,
        "series": run.series_id,
        "part": list(run.part),
        "device": run.device,
        "folder": str(workspace.run_folder(run.id)),
    }


def _introduce(workspace: Workspace, run: RunRecord, series: SeriesRecord) -> None:
    """Says what is about to be trained, and how many findings there are about the data."""
    channels = f"{len(run.channels)} channel{'s' if len(run.channels) != 1 else ''}"
    say(
        f'Series "{series.name}": {series.rows:,} rows, {channels}; training on rows {run.part[0]:,} to {run.part[1]:,}.'
    )
    stored = workspace.open_series(series.id)
    for finding in stored.report.findings[:8]:
        say(f"  {finding.message}" + (f" {finding.action}" if finding.action else ""))
    if not _varies(stored.take(run.channels), run.part):
        say(
            "Warning: no channel changes in the training part, so that every later change will score high. "
            "Train on a part that varies, if there is one."
        )
    what = "preset" if run.config.get("detector", "amad") == "amad" else "detector"
    say(f'Run {run.id} "{run.name}", {what} {run.preset}.')


def _varies(series: Series, part: tuple[int, int]) -> bool:
    """Whether any channel takes more than one value in the rows of a part."""
    import numpy as np

    for channel in range(series.values.shape[1]):
        column = series.values[part[0] : part[1], channel]
        if np.fmin.reduce(column) < np.fmax.reduce(column):  # NaN, where all is missing, compares as False
            return True
    return False


def _where(given: argparse.Namespace) -> str:
    folder = getattr(given, "workspace", None)
    return f" --workspace {folder}" if folder else ""


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """The first Ctrl-C (or SIGTERM) asks the work to stop and save, the second ends it at once."""
    asked = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say(
            "\nStopping after this step; press Ctrl-C again to end at once." if number == signal.SIGINT else "Stopping."
        )

    old = {}
    with suppress(ValueError):  # signals can be set in the main thread alone
        old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
