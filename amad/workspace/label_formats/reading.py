"""Label files as they come: ours, Label Studio, NAB windows, ranges with or without a header, and a column of labels."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from amad.errors import InputError
from amad.series.labels import NORMAL
from amad.spreadsheets import bare
from amad.workspace.incident_records import STATUS_WORDS, clean_note, is_label_id
from amad.workspace.label_formats import label_studio
from amad.workspace.label_formats.cells import split
from amad.workspace.label_formats.drafts import Axis, Draft, Incoming, collected, moment_of, number_of, whole
from amad.workspace.label_formats.writing import EDGES
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    from amad.series import Series

MOST_BYTES = 64 << 20
MOST_LABELS = 200_000
_NUMBER = re.compile(r"\s*-?\d+(\.0*)?\s*")
_STARTS = ("start_row", "start", "begin", "from", "start_time", "starttime")
_ENDS = ("end_row", "end", "stop", "to", "end_time", "endtime")
_TYPES = ("type", "label", "kind", "class")


def read_labels(name: str, data: bytes, series: Series, *, end_included: bool = True) -> Incoming:
    """The labels that a file holds, as drafts; nothing is stored.

    `end_included`: in ranges that are not ours (an `end`, or two bare columns), the end belongs to the range; `end_row`
    never does. Errors: InputError that names every entry that cannot be read.
    """
    shown = clean_text(PurePath(name).name, 80, "The file")
    if len(data) > MOST_BYTES:
        raise InputError(f"{shown}: {len(data):,} bytes are no label file.")
    axis = Axis.of(series)
    text = _decoded(data)
    if text.lstrip()[:1] in ("{", "["):
        found = _json(text, axis, shown, end_included)
    else:
        found = _table(text, axis, shown, end_included)
    if len(found.drafts) > MOST_LABELS:
        raise InputError(
            f"{shown}: {len(found.drafts):,} labels are more than {MOST_LABELS:,}. Is this the right file?"
        )
    return found


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _json(text: str, axis: Axis, name: str, end_included: bool) -> Incoming:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not JSON ({clean_text(str(error), 100)}).") from error
    if isinstance(content, dict) and content.get("format") == "amad-labels":
        return _ours(content, axis, name)
    if label_studio.looks_like(content):
        return label_studio.read(content, axis, name)
    return _windows(content, axis, name, end_included)


def _windows(content: Any, axis: Axis, name: str, end_included: bool) -> Incoming:
    """NAB's windows: a list of [start, end], or such lists by the name of a series."""
    if isinstance(content, dict):
        stems = {axis.name, PurePath(axis.name).stem}
        keys = [key for key in content if key in stems or PurePath(key).stem in stems or PurePath(key).name in stems]
        keys = keys or (list(content) if len(content) == 1 else [])
        if len(keys) != 1:
            shown = ", ".join(clean_text(str(key), 40) for key in list(content)[:10])
            raise InputError(f"{name}: holds windows of {len(content)} series ({shown}). Keep the list of this one.")
        content = content[keys[0]]
    if not isinstance(content, list):
        raise InputError(f"{name}: this JSON holds no labels. Give ours, Label Studio's, or a list of [start, end].")
    drafts, errors = [], []
    for number, entry in enumerate(content, 1):
        pair = entry if isinstance(entry, list) else [entry, entry]
        if len(pair) != 2 or not all(isinstance(end, str | int | float) and not isinstance(end, bool) for end in pair):
            errors.append(f"entry {number}: {clean_text(json.dumps(entry), 60)} is no pair of start and end.")
            continue
        try:
            span = axis.span(pair[0], pair[1], f"entry {number}", inclusive=end_included or pair[0] == pair[1])
            drafts.append(Draft(*span, place=f"entry {number}"))
        except InputError as error:
            errors.append(str(error))
    if errors:
        raise collected(errors, name)
    return Incoming("windows (JSON)", tuple(drafts))


def _ours(content: dict[str, Any], axis: Axis, name: str) -> Incoming:
    if content.get("version") != 1 or not isinstance(content.get("labels"), list):
        raise InputError(
            f"{name}: a newer AMAD wrote these labels (version {clean_text(str(content.get('version')), 20)})."
        )
    drafts, errors = [], []
    for number, entry in enumerate(content["labels"], 1):
        try:
            if not isinstance(entry, dict):
                raise InputError(f"label {number}: is no object.")
            drafts.append(_draft(entry, axis, f"label {number}"))
        except InputError as error:
            errors.append(str(error))
    if errors:
        raise collected(errors, name)
    names = ("name", "code", "pattern", "light", "dark", "rule")
    types = tuple(
        {part: str(kind[part]) for part in names if part in kind}
        for kind in content.get("types") or ()
        if isinstance(kind, dict) and kind.get("name")
    )
    return Incoming("AMAD's JSON", tuple(drafts), types, _about_times(drafts, axis, content["labels"]))


def _draft(entry: dict[str, Any], axis: Axis, place: str) -> Draft:
    """A label out of named values. Errors: InputError with the place."""
    if "start_row" in entry and "end_row" in entry and str(entry["start_row"]).strip():
        span = axis.row_span(whole(entry["start_row"], place), whole(entry["end_row"], place), place)
    else:
        span = axis.span(entry.get("start"), entry.get("end"), place)
    channels = entry.get("channels") or ()
    status = str(entry.get("status") or "open")
    if status not in STATUS_WORDS:
        raise InputError(f'{place}: "{clean_text(status, 40)}" is no status. There are {", ".join(STATUS_WORDS)}.')
    edges = [entry.get(edge) for edge in EDGES]
    pairs = [
        None if one in (None, "") else (whole(one, place), whole(two, place)) for one, two in (edges[:2], edges[2:])
    ]
    key = str(entry.get("id") or "")
    return Draft(
        *span,
        type=clean_text(str(entry.get("type") or "")),
        severity=number_of(entry.get("severity"), place, "severity"),
        channels=split(channels) if isinstance(channels, str) else tuple(map(str, channels)),
        status=status,
        confidence=number_of(entry.get("confidence"), place, "confidence"),
        note=clean_note(str(entry.get("note") or "")),
        author=clean_text(str(entry.get("author") or "")),
        created=moment_of(entry.get("created"), place, "created"),
        changed=moment_of(entry.get("changed"), place, "changed"),
        changed_by=clean_text(str(entry.get("changed_by") or "")),
        id=key if is_label_id(key) else "",
        sure=pairs[0],
        possible=pairs[1],
        comments=_comments(entry.get("comments"), place),
        place=place,
    )


def _comments(given: Any, place: str) -> Any:
    found = []
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict) and (text := clean_note(str(one.get("text") or ""))):
            when = moment_of(one.get("created"), place, "comment")
            found.append((clean_text(str(one.get("author") or ""), empty="unknown"), when, text))
    return tuple(found)


def _about_times(drafts: Sequence[Draft], axis: Axis, entries: Sequence[Any]) -> tuple[str, ...]:
    """Says where a file's times are not those of its rows here."""
    wrong = sum(
        isinstance(entry, dict)
        and bool(entry.get("start"))
        and axis.time is not None
        and str(entry["start"]) != axis.at(draft.start_row)
        for draft, entry in zip(drafts, entries, strict=True)
    )
    return (f"{wrong:,} labels name times that their rows do not have here; the rows were taken.",) if wrong else ()


def _table(text: str, axis: Axis, name: str, end_included: bool) -> Incoming:
    """A table of ranges, or one line a row of the series."""
    sign = max(",;\t", key=lambda one: text[:10_000].count(one))
    first = text.lstrip("\n").split("\n", 1)[0]
    if first.count(sign) == 0 and len(first.split()) > 1 and not re.search(r"[A-Za-z]", first):
        lines = [line.split() for line in text.splitlines()]
    else:
        csv.field_size_limit(1 << 20)
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
        except csv.Error as error:
            raise InputError(f"{name}: cannot be read as a table ({clean_text(str(error), 100)}).") from error
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        return Incoming("empty file", ())
    head = [cell.strip().lower().replace(" ", "_") for cell in lines[0]]
    start = next((head.index(name) for name in _STARTS if name in head), None)
    end = next((head.index(name) for name in _ENDS if name in head), None)
    if start is not None and end is not None:
        return _named(lines, head, axis, name, end_included)
    if len(lines) in (axis.rows, axis.rows + 1):
        return _column(lines, head, axis, name)
    if 1 <= len(lines[0]) <= 3 and not any(cell in _TYPES for cell in head):
        return _bare(lines, axis, name, end_included)
    raise InputError(
        f"{name}: {len(lines):,} lines are neither ranges (start and end in a header, or two bare columns) nor one label "
        f"for each of the {axis.rows:,} rows."
    )


def _named(lines: list[list[str]], head: list[str], axis: Axis, name: str, end_included: bool) -> Incoming:
    by_rows = "start_row" in head and "end_row" in head
    drafts, errors, entries = [], [], []
    for number, line in enumerate(lines[1:], 2):
        cells = [*line, *[""] * (len(head) - len(line))]
        entry: dict[str, Any] = {column: bare(cell) for column, cell in zip(head, cells, strict=False)}
        place = f"line {number}"
        try:
            if not by_rows:
                begin = next(entry[column] for column in _STARTS if column in entry)
                stop = next(entry[column] for column in _ENDS if column in entry)
                rows = axis.span(begin, stop or begin, place, inclusive=end_included or not stop)
                entry["start_row"], entry["end_row"] = rows
                entry["type"] = next((entry[column] for column in _TYPES if entry.get(column)), "")
                entry.pop("id", None)
            drafts.append(_draft(entry, axis, place))
            entries.append(entry)
        except InputError as error:
            errors.append(str(error))
    if errors:
        raise collected(errors, name)
    ours = by_rows and "id" in head and "author" in head
    form = "AMAD's CSV" if ours else "ranges with a header"
    return Incoming(form, tuple(drafts), (), _about_times(drafts, axis, entries) if ours else ())


def _bare(lines: list[list[str]], axis: Axis, name: str, end_included: bool) -> Incoming:
    drafts, errors = [], []
    for number, line in enumerate(lines, 1):
        cells = [bare(cell.strip()) for cell in line if cell.strip()]
        begin, stop = cells[0], cells[1] if len(cells) > 1 else cells[0]
        place = f"line {number}"
        rows = all(_NUMBER.fullmatch(cell) for cell in (begin, stop))
        try:
            if rows and (axis.time is None or axis.dated):
                span = axis.row_span(whole(begin, place), whole(stop, place) + (end_included or begin == stop), place)
            else:
                span = axis.span(begin, stop, place, inclusive=end_included or begin == stop)
            drafts.append(Draft(*span, type=clean_text(cells[2]) if len(cells) > 2 else "", place=place))
        except InputError as error:
            if number > 1:  # the first line may be a header of other words
                errors.append(str(error))
    if errors:
        raise collected(errors, name)
    return Incoming("ranges without a header", tuple(drafts))


def _column(lines: list[list[str]], head: list[str], axis: Axis, name: str) -> Incoming:
    """One line a row: 0/1, or names of types, in the column named so, else in the last one."""
    body = lines[1:] if len(lines) == axis.rows + 1 else lines
    typed = next((place for place, cell in enumerate(head) if cell.startswith("label_type")), None)
    place = next((head.index(one) for one in ("label", "anomaly", "is_anomaly", "labels", *_TYPES) if one in head), -1)
    place = place if len(lines) == axis.rows + 1 else -1
    kinds: list[str] = []
    for number, line in enumerate(body, 1):
        try:
            cell = bare(line[place].strip())
            kind = bare(line[typed].strip()) if typed is not None and len(lines) == axis.rows + 1 else ""
        except IndexError:
            raise InputError(f"{name}, line {number}: has too few columns.") from None
        marked = cell.lower() not in NORMAL and cell != ""
        kinds.append((kind or ("" if _NUMBER.fullmatch(cell) else cell) or "\0") if marked else "")
    if len(set(kinds)) > 60:
        raise InputError(f"{name}: its column holds {len(set(kinds)):,} different values; these are no labels.")
    drafts, start = [], 0
    for row in range(1, axis.rows + 1):
        if row == axis.rows or kinds[row] != kinds[start]:
            if kinds[start]:
                for kind in kinds[start].split("; "):
                    drafts.append(Draft(start, row, type=clean_text(kind), place=f"row {start:,}"))
            start = row
    return Incoming("one label a row", tuple(drafts))
