"""Reading of one file, or several as one, into a series: the one reader for every form that AMAD takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amad import limits
from amad.errors import InputError
from amad.series import binary, quality
from amad.series.arrow_files import read_arrow, read_parquet
from amad.series.clocks import median_step
from amad.series.joining import join, split
from amad.series.kinds import kind_of
from amad.series.label_files import SideFile, attach, read_interpretation, read_windows, runs_of, side_table
from amad.series.labels import marks_of
from amad.series.ordering import order
from amad.series.parts import Options, Part, part_of
from amad.series.quality import listed
from amad.series.scratch import NO_ROOM, OnReading, Scratch
from amad.series.series import Report, Series, Span
from amad.series.table import Table, shorten
from amad.series.text import read_text

Duplicates = Literal["first", "average", "keep"]
_MAIN = "\0label"  # no column can have this name


def read(
    path: Path | str | Sequence[Path | str],
    *,
    name: str | None = None,
    time: str | None = None,
    label: str | None = None,
    missing: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    timezone: str | None = None,
    day_first: bool | None = None,
    sort: bool = True,
    duplicates: Duplicates = "keep",
    sentinels: bool = True,
    scratch: Path | None = None,
    on_reading: OnReading | None = None,
) -> Series:
    """Reads CSV and its kin (gzipped or not), Excel, Parquet, Feather, Arrow, NPZ or NPY into a series.

    Several files are one series: those with the same columns follow each other in time (without times: in the order
    of their names, numbers counted as numbers), and files of labels are attached to the rows: one label a row, times
    with labels, windows as JSON, an interpretation list (`start-end:channels`), or annotated samples.

    Everything else is found out unless given: `time` and `label` name columns, `missing` adds words for "no value",
    `separator`, `decimal`, `encoding` and `header` say how text is written, `sheet` which sheet of a workbook,
    `timezone` where times without an offset were taken (else they stay as written; those with one become UTC),
    `day_first` how dates such as 3/4/2024 are meant. `sort=False` keeps rows in the order of the file,
    `duplicates` says what happens to rows of the same time (all are kept, so that rows answer to those of the file), `sentinels=False` keeps numbers such as -9999 as values.

    `scratch` is an empty folder: the values of large files of text, Parquet, Feather or Arrow are kept there and not in
    memory, as a map that lives as long as the series does; `on_reading` is told how far the reading is (`Reading`, in
    bytes of all files), and may raise to end it.

    What was found and done stands in `report`. InputError names file, row and column; rows of text and Excel files
    count as in the file, whose first row (the header) is row 1.
    """
    single = isinstance(path, str | Path)
    files = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    if not files:
        raise InputError("No file was given. Give the path of one file, or several that belong together.")
    if duplicates not in ("first", "average", "keep"):
        raise InputError(f"duplicates={duplicates!r} is not one of first, average, keep.")
    for file in files:
        _check_file(file)
    place = None if scratch is None else Scratch(Path(scratch), on_reading)
    options = Options(
        time, label, tuple(missing), separator, decimal, encoding, header, sheet, timezone, day_first, place
    )
    stems = [file.stem for file in files if file.suffix.lower() != ".json"]
    with _told(files):
        parts, sides = _load_all(files, options, stems, single)
        parts, label_parts = split(parts, sides)
        if not parts:
            raise InputError(
                f"{listed([file.name for file in files])}: only labels, no series. "
                "Give the file with the values together with its labels."
            )
        return _assemble(parts, [*sides, *label_parts], name, options, sort, duplicates, sentinels)


def read_labels(
    path: Path | str, *, rows: int, time: Any = None, channels: Sequence[str] = (), stem: str = ""
) -> NDArray[np.int8]:
    """Labels (rows,) of 0 and 1 that a file gives to rows which are already known, in any form that `read` takes.

    One label a row, times with labels, windows as JSON, an interpretation list, annotated samples, or a series with a
    label column. `time` is that of the rows (DatetimeIndex, integers, or None), `channels` their names and `stem` the
    name that windows of several series are kept under. InputError where the file holds no labels, or none of these rows.
    """
    file = Path(path)
    _check_file(file)
    options = Options(None, None, (), None, None, None, None, None, None, None)
    with _told([file]):
        loaded = _load(file, options, [stem], False)
        if isinstance(loaded, SideFile):
            return attach(loaded, rows, time, channels, None).labels
        part = part_of(loaded, options, several=False)
        known, axis = part.labels.main, None if part.axis is None else part.axis.values
        if known is not None and part.channels:  # a whole series: its rows may be put in the order of their times
            series = _assemble([part], [], None, options, True, "keep", True)
            known, axis = series.labels, series.time
        elif known is None and len(part.channels) == 1:
            made = marks_of(part.values[0], (), forced=True)
            known = None if made is None else made[0]
        if known is None:
            raise InputError(
                f'{file.name}: no column with labels of 0 and 1. Name that column "label", or keep it alone.'
            )
        return attach(SideFile(file, "column", labels=known, time=axis), rows, time, channels, None).labels


@contextmanager
def _told(files: Sequence[Path]) -> Iterator[None]:
    """Turns what goes wrong with files into errors of ours, and keeps odd characters of their names out of messages."""
    try:
        yield
    except InputError as error:
        said = str(error)
        for file in files:
            said = said.replace(file.name, shorten(file.name, 200))
        raise InputError(said) from error
    except MemoryError as error:
        raise InputError(f"{shorten(files[0].name)}: does not fit into memory. Give fewer rows or columns.") from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise  # of the folder for scratch, not of the file
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{shorten(files[0].name)}: cannot be read ({reason}). Check that the file is whole."
        ) from error


def _check_file(file: Path) -> None:
    try:
        if "\0" in str(file) or not file.exists():
            raise InputError(f"{shorten(str(file), 300)}: not found. Check the path.")
        if not file.is_file():
            raise InputError(f"{shorten(str(file), 300)}: not a file. Give the path of a file, or a list of paths.")
        if file.stat().st_size == 0:
            raise InputError(f"{shorten(file.name)}: the file is empty. Give a file with a header and rows of numbers.")
    except OSError as error:
        raise InputError(f"{shorten(str(file), 300)}: cannot be opened ({error.strerror}). Check the path.") from error


def _load_all(
    files: Sequence[Path], options: Options, stems: Sequence[str], single: bool
) -> tuple[list[Part], list[SideFile]]:
    """Data and labels of the files, each of which is turned into arrays, on disk where there is room, before the next is read."""
    parts: list[Part] = []
    sides: list[SideFile] = []
    waiting: list[tuple[Table, Options]] = []  # the first table, until it is known whether it is the only one
    sizes = [file.stat().st_size for file in files]
    for number, file in enumerate(files):
        mine = options
        if options.scratch is not None and len(files) > 1:
            mine = replace(options, scratch=options.scratch.part(number, sum(sizes[:number]), sum(sizes)))
        loaded = _load(file, mine, stems, single)
        if mine.scratch is not None and len(files) > 1:
            mine.scratch.tell(sizes[number], sizes[number])
        if isinstance(loaded, SideFile):
            sides.append(loaded)
            continue
        limits.check_rows(file.name, loaded.rows)
        waiting.append((loaded, mine))
        if parts or len(waiting) > 1:
            parts += [part_of(*one, several=True) for one in waiting]
            waiting.clear()
    return parts + [part_of(*one, several=False) for one in waiting], sides


def _load(file: Path, options: Options, stems: Sequence[str], single: bool) -> Table | SideFile:
    kind = kind_of(file)
    alone = "{}: {} without the series that it labels. Give both files together."
    if kind == "json":
        if single:
            raise InputError(alone.format(file.name, "JSON holds label windows"))
        return read_windows(file, stems)
    if kind == "parquet":
        return read_parquet(file, options.missing, options.scratch, (options.time, options.label))
    if kind == "arrow":
        return read_arrow(file, options.missing, options.scratch, (options.time, options.label))
    if kind == "numpy":
        return binary.read_numpy(file, options.missing)
    if kind == "excel":
        table = binary.read_excel(file, options.missing, options.sheet, options.header)
    else:
        listing = read_interpretation(file)
        if listing is not None:
            if single:
                raise InputError(alone.format(file.name, "a list of events"))
            return listing
        table = read_text(
            file,
            missing=options.missing,
            separator=options.separator,
            decimal=options.decimal,
            encoding=options.encoding,
            header=options.header,
            exact=(options.time, options.label),
            scratch=options.scratch,
        )
    listed_labels = side_table(table)
    if listed_labels is not None:
        if single:
            raise InputError(alone.format(file.name, "a list of labels"))
        return listed_labels
    return table


def _assemble(
    parts: list[Part],
    sides: Sequence[SideFile],
    name: str | None,
    options: Options,
    sort: bool,
    duplicates: Duplicates,
    sentinels: bool,
) -> Series:
    import pandas as pd

    limits.check_rows(listed([part.file.name for part in parts]), sum(part.rows for part in parts))
    joined = join(parts, options.scratch)
    axis, values, labels = joined.axis, joined.values, joined.labels
    findings = [*joined.findings, *labels.findings]
    time = None if axis is None else axis.values
    if axis is not None:
        findings = [*axis.findings, *findings]
    spans: list[Span] = []
    main, label_name = labels.main, labels.name
    for side in sorted(sides, key=lambda side: side.form == "spans"):  # lists are read by the labels they belong to
        attached = attach(side, joined.rows, time, joined.channels, main)
        main = attached.labels
        label_name = label_name if side.form == "spans" and label_name else side.name
        spans += attached.spans
        findings += attached.findings
    findings += quality.replace_infinite(values, joined.channels)
    others = labels.others
    if time is not None:
        marks = {**others, **({} if main is None else {_MAIN: main})}
        ordered = order(time, values, marks, sort, duplicates)
        time, values, others = ordered.time, ordered.values, ordered.labels
        main = others.pop(_MAIN, None)
        findings += ordered.findings
        if ordered.moved:
            # Spans name rows that now stand elsewhere; the labels moved with the rows and tell where they are.
            plain = main is not None and not any(span.channels or span.kind for span in spans)
            spans = runs_of(main) if spans and plain and main is not None else []
    findings += quality.replace_sentinels(values, joined.channels, sentinels)
    findings += quality.value_findings(values, joined.channels)
    empty = next((finding for finding in findings if finding.kind == "empty"), None)
    if empty is not None and empty.count == len(values):
        raise InputError(
            f"{listed([part.file.name for part in parts])}: every cell of every channel is missing. "
            "Give rows with numbers; check the decimal mark and the tokens for missing values."
        )
    findings += quality.gap_findings(time)
    facts = dict(joined.facts)
    facts["files"] = [part.file.name for part in parts] + [side.file.name for side in sides]
    if isinstance(time, pd.DatetimeIndex):
        facts["timezone"] = None if time.tz is None else str(time.tz)
    report = Report(int(values.shape[1]), median_step(time), tuple(findings), facts)
    return Series(
        name or (parts[0].file.name.split(".")[0] or parts[0].file.name),
        values.T,
        joined.channels,
        time,
        main,
        report,
        None if axis is None else axis.name,
        label_name if main is not None else None,
        others,
        tuple(spans),
    )
