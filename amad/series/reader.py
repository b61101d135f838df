"""Reading of one file, or several as one, into a series: the one reader for every form that AMAD takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series import binary, quality, times
from amad.series.kinds import kind_of
from amad.series.labels import (
    Labels,
    SideFile,
    attach,
    marks_of,
    read_interpretation,
    read_windows,
    runs_of,
    side_table,
    take_labels,
)
from amad.series.names import label_like
from amad.series.ordering import order
from amad.series.quality import listed, many
from amad.series.series import Finding, Report, Series, Span
from amad.series.table import (
    UNNAMED,
    Table,
    as_text,
    bad_cell,
    is_number,
    is_text,
    numeric_text,
    shorten,
    to_float,
)
from amad.series.text import read_text

Duplicates = Literal["first", "average", "keep"]
_MAIN = "\0label"  # no column can have this name


@dataclass
class Part:
    """One data file as arrays: values (C, T), the axis and the labels, before several become one."""

    file: Path
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    named: bool
    axis: times.Axis | None
    labels: Labels
    facts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Options:
    """What the caller said about the files; None means that it is found out."""

    time: str | None
    label: str | None
    missing: tuple[str, ...]
    separator: str | None
    decimal: str | None
    encoding: str | None
    header: bool | None
    sheet: str | None
    timezone: str | None
    day_first: bool | None


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
    options = Options(time, label, tuple(missing), separator, decimal, encoding, header, sheet, timezone, day_first)
    tables: list[Table] = []
    sides: list[SideFile] = []
    stems = [file.stem for file in files if file.suffix.lower() != ".json"]
    try:
        for file in files:
            loaded = _load(file, options, stems, single)
            (tables if isinstance(loaded, Table) else sides).append(loaded)  # type: ignore[arg-type]
        parts = [_part(table, options, len(tables)) for table in tables]
        parts, label_parts = _split(parts, sides)
        if not parts:
            raise InputError(
                f"{listed([file.name for file in files])}: only labels, no series. "
                "Give the file with the values together with its labels."
            )
        return _assemble(parts, [*sides, *label_parts], name, options, sort, duplicates, sentinels)
    except MemoryError as error:
        raise InputError(f"{files[0].name}: does not fit into memory. Give fewer rows or columns.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{files[0].name}: cannot be read ({reason}). Check that the file is whole.") from error


def _check_file(file: Path) -> None:
    try:
        if "\0" in str(file) or not file.exists():
            raise InputError(f"{shorten(str(file), 300)}: not found. Check the path.")
        if not file.is_file():
            raise InputError(f"{shorten(str(file), 300)}: not a file. Give the path of a file, or a list of paths.")
        if file.stat().st_size == 0:
            raise InputError(f"{file.name}: the file is empty. Give a file with a header and rows of numbers.")
    except OSError as error:
        raise InputError(f"{shorten(str(file), 300)}: cannot be opened ({error.strerror}). Check the path.") from error


def _load(file: Path, options: Options, stems: Sequence[str], single: bool) -> Table | SideFile:
    kind = kind_of(file)
    alone = "{}: {} without the series that it labels. Give both files together."
    if kind == "json":
        if single:
            raise InputError(alone.format(file.name, "JSON holds label windows"))
        return read_windows(file, stems)
    if kind == "parquet":
        return binary.read_parquet(file, options.missing)
    if kind == "arrow":
        return binary.read_arrow(file, options.missing)
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
        )
    listed_labels = side_table(table)
    if listed_labels is not None:
        if single:
            raise InputError(alone.format(file.name, "a list of labels"))
        return listed_labels
    return table


def _part(table: Table, options: Options, tables: int) -> Part:
    """One table as arrays: the time and the labels taken out, the rest as numbers."""
    if not table.columns or table.rows == 0:
        raise InputError(f"{table.file.name}: a header, but no row under it. Give a file with rows of numbers.")
    several = tables > 1
    time = options.time if not several or options.time in table.names else None
    label = options.label if not several or options.label in table.names else None
    findings = list(table.findings)
    # A column that was named may be one without a name in the file, so it is not thrown away before.
    numbers = [place for place in times.row_numbers(table) if table.names[place] not in (time, label)]
    if numbers and len(table.names) > 1 and any(finding.kind == "row_index" for finding in findings):
        table.drop(numbers)  # already told
    elif numbers and len(table.names) > 1:
        findings.append(
            Finding(
                "row_numbers",
                "The first column has no name and only numbers the rows.",
                1,
                (table.names[numbers[0]],),
                action="Left out.",
                alternatives=("Name it in the file and choose it as the time",),
            )
        )
        table.drop(numbers)
    labelled = None
    if label is not None:  # before the time, which might take a rising label column
        labelled = take_labels(table, label)
    axis = times.take_axis(table, time, options.timezone, options.day_first)
    found = labelled or take_labels(table)
    values, channels, noticed = _numbers(table)
    return Part(table.file, values, channels, table.named, axis, found, table.facts, [*findings, *noticed])


def _numbers(table: Table) -> tuple[NDArray[np.float32], tuple[str, ...], list[Finding]]:
    """Columns as values (C, T) float32; text that is not mostly numbers, and times, are left out with a finding."""
    rows, names = table.rows, list(table.names)
    values = np.empty((len(names), rows), dtype=np.float32)
    kept: list[str] = []
    texts: list[str] = []
    strange: list[str] = []
    for place, name in enumerate(names):
        column = table.columns[place]
        table.columns[place] = np.empty(0)  # Arrow's memory goes as ours fills
        into = values[len(kept)]
        if is_number(column):
            into[:] = to_float(column, np.float32)
        elif is_text(column):
            text = as_text(column)
            numbers, wrong = numeric_text(text, table.missing, table.decimal)
            count = int(wrong.sum())
            present = int(np.isfinite(numbers).sum() + np.isinf(numbers).sum())
            if count and count >= present:
                texts.append(name)
                continue
            if count:
                row = int(np.flatnonzero(wrong)[0])
                cell = text[row].as_py()
                raise bad_cell(table.file.name, table.row_of(row), name, cell)
            with np.errstate(over="ignore"):
                into[:] = numbers
        else:
            strange.append(name)
            continue
        unnamed = re.fullmatch(rf"{UNNAMED}_\d+", name)
        if unnamed and bool(np.isnan(into).all()):
            continue  # the separators at the end of each row made it
        kept.append(name)
    findings = []
    if texts:
        findings.append(
            Finding(
                "text",
                f"{many(len(texts), 'column holds', 'columns hold')} text, not numbers: {listed(texts)}.",
                len(texts),
                tuple(texts),
                action="Left out.",
                alternatives=("Choose one as the label", "Write the values as numbers"),
            )
        )
    if strange:
        findings.append(
            Finding(
                "not_numeric",
                f"{many(len(strange), 'column holds', 'columns hold')} times or other values that are not numbers: "
                f"{listed(strange)}.",
                len(strange),
                tuple(strange),
                action="Left out.",
                alternatives=("Choose one as the time",),
            )
        )
    return values[: len(kept)], tuple(kept), findings


def _split(parts: list[Part], sides: Sequence[SideFile]) -> tuple[list[Part], list[SideFile]]:
    """Data parts, and parts that are files of labels: no channel beside them, or one of 0 and 1 beside other files."""
    data: list[Part] = []
    labels: list[SideFile] = []
    shapes = {part.channels for part in parts}
    for part in parts:
        marks, name = part.labels.main, part.labels.name or "label"
        if part.channels and len(shapes) > 1 and marks is None and len(part.channels) == 1:
            other = next(p for p in parts if p.channels != part.channels)
            said = (
                label_like(part.channels[0]) or "label" in part.file.stem.lower() or "anomal" in part.file.stem.lower()
            )
            # Two files of one column each: the one that says so holds the labels.
            if said or len(other.channels) > 1:
                made = marks_of(part.values[0], (), forced=True)
                if made is not None:
                    marks, name = made[0], part.channels[0] if part.named else "label"
                    labels.append(SideFile(part.file, "column", labels=marks, time=_axis(part), name=name))
                    continue
        if not part.channels and marks is not None:
            labels.append(SideFile(part.file, "column", labels=marks, time=_axis(part), name=name))
        elif not part.channels:
            raise InputError(
                f"{part.file.name}: no column of numbers to take as a channel. Check separator and header."
            )
        else:
            data.append(part)
    if len(parts) > 1 and len(shapes) == 1 and not sides and len({part.named for part in parts}) == 1 and data:
        # A headerless pair of single columns looks alike; a name with "label" tells them apart.
        marked = [p for p in data if len(p.channels) == 1 and re.search("label|anomal", p.file.stem.lower())]
        if marked and len(marked) < len(data):
            for part in marked:
                made = marks_of(part.values[0], (), forced=True)
                if made is not None:
                    data.remove(part)
                    labels.append(SideFile(part.file, "column", labels=made[0], time=_axis(part)))
    return data, labels


def _axis(part: Part) -> Any:
    return None if part.axis is None else part.axis.values


def _natural(file: Path) -> list[Any]:
    """Key that sorts part-2 before part-10, and the training file before that of the test."""
    pieces = re.findall(r"\d{1,18}|[^\d]+", file.name.lower().replace("train", "\0train"))
    return [(0, int(piece), "") if re.fullmatch("[0-9]+", piece) else (1, 0, piece) for piece in pieces]


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

    joined = _join(parts)
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
    findings += quality.gap_findings(time)
    facts = dict(joined.facts)
    facts["files"] = [part.file.name for part in parts] + [side.file.name for side in sides]
    if isinstance(time, pd.DatetimeIndex):
        facts["timezone"] = None if time.tz is None else str(time.tz)
    report = Report(int(values.shape[1]), times.median_step(time), tuple(findings), facts)
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


def _kind(part: Part) -> str:
    if part.axis is None:
        return "no time"
    if isinstance(part.axis.values, np.ndarray):
        return "whole numbers"
    return "times without a zone" if part.axis.values.tz is None else "times with a zone"


def _start(part: Part) -> Any:
    """First time of a part, for putting parts in order; parts without any come first."""
    assert part.axis is not None
    stamps = part.axis.values
    if isinstance(stamps, np.ndarray):
        return int(stamps.min()) if stamps.size else 0
    first = stamps.min()
    return first.value if first == first else 0  # NaT differs from itself


def _join(parts: list[Part]) -> Part:
    """Files with the same columns, one after the other in time, or in the order of their names."""
    import pandas as pd

    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for part in parts[1:]:
        absent = [channel for channel in first.channels if channel not in part.channels]
        more = [channel for channel in part.channels if channel not in first.channels]
        if absent or more:
            says = [f"lacks {listed(absent)}"] if absent else []
            says += [f"also has {listed(more)}"] if more else []
            raise InputError(
                f"{part.file.name} does not have the columns of {first.file.name}: it {' and '.join(says)}. "
                "Give files with the same columns, or read them as series of their own."
            )
    kinds = {_kind(part) for part in parts}
    if len(kinds) > 1:
        raise InputError(
            f"{listed([part.file.name for part in parts])}: their times are of different kinds "
            f"({', '.join(sorted(kinds))}), so they cannot follow each other. Give the time column and zone."
        )
    timed = first.axis is not None
    ordered = sorted(parts, key=lambda part: _natural(part.file))
    if timed:
        ordered = sorted(ordered, key=_start)
    rows = sum(part.rows for part in ordered)
    values = np.empty((len(first.channels), rows), dtype=np.float32)
    begin = 0
    findings: list[Finding] = []
    for part in ordered:
        places = [part.channels.index(channel) for channel in first.channels]
        values[:, begin : begin + part.rows] = part.values[places]
        begin += part.rows
        findings += [finding for finding in part.findings if finding not in findings]
    axis = None
    if timed:
        axes = [part.axis for part in ordered if part.axis is not None]
        noticed = [finding for one in axes for finding in one.findings]
        if isinstance(axes[0].values, pd.DatetimeIndex):
            stamps: Any = axes[0].values.append([one.values for one in axes[1:]])  # type: ignore[misc]
        else:
            stamps = np.concatenate([one.values for one in axes])
        axis = times.Axis(axes[0].name, stamps, noticed[:1])
    labels = Labels(findings=[])
    if any(part.labels.main is not None for part in ordered):
        labels.main = np.concatenate(
            [np.zeros(p.rows, np.int8) if p.labels.main is None else p.labels.main for p in ordered]
        )
        labels.name = next(part.labels.name for part in ordered if part.labels.main is not None)
    for other in dict.fromkeys(key for part in ordered for key in part.labels.others):
        labels.others[other] = np.concatenate(
            [part.labels.others.get(other, np.zeros(part.rows, np.int8)) for part in ordered]
        )
    findings.append(
        Finding(
            "joined",
            f"{len(ordered)} files with the same columns: {listed([part.file.name for part in ordered])}.",
            len(ordered),
            action=f"Joined in the order of their {'times' if timed else 'names'}.",
            alternatives=("Read each as a series of its own",),
        )
    )
    findings += [finding for part in ordered for finding in part.labels.findings]
    return Part(first.file, values, first.channels, first.named, axis, labels, dict(first.facts), findings)
