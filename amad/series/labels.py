"""Labels: which column holds them, and what label files beside a series say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.names import further_label, label_rank, weak_label
from amad.series.numerals import numerals
from amad.series.series import Finding
from amad.series.table import Column, Table, as_text, is_number, is_text, shorten, to_float

NORMAL = frozenset(
    [
        "normal",
        "n",
        "ok",
        "good",
        "healthy",
        "benign",
        "none",
        "no",
        "false",
        "nominal",
        "negative",
        "inlier",
        "0",
        "0.0",
    ]
)
_CLASSES = 40  # more different values than this are no classes


@dataclass
class Labels:
    """Labels taken from columns: `main` 0/1 (T,) int8 or None with its name, and further ones by name."""

    main: NDArray[np.int8] | None = None
    name: str | None = None
    others: dict[str, NDArray[np.int8]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def take_labels(table: Table, label: str | None = None) -> Labels:
    """Takes every label column out of the table; the named one, else the likeliest, becomes the label.

    A column is a label if its name says so and its values do (0/1, -1/1, or a few classes). InputError if the
    named column holds no labels.
    """
    found = Labels()
    places: list[tuple[int, int, NDArray[np.int8], str]] = []
    if label is not None:
        place = table.find(label, "the label")
        marks = marks_of(table.columns[place], table.missing, forced=True)
        if marks is None:
            raise InputError(
                f'{table.file.name}, column "{shorten(label)}": its values are no labels. '
                "A label column holds 0 and 1, or a few classes of which one is normal."
            )
        places.append((-1, place, *marks))
    for index, name in enumerate(table.names):
        rank = label_rank(name)
        if rank is None or name == label:
            continue
        column = table.columns[index]
        last = index == len(table.names) - 1
        marks = marks_of(column, table.missing, forced=False)
        if marks is None or (weak_label(name) and not ((last and _is_binary(column)) or is_text(column))):
            continue
        places.append((rank, index, *marks))
    places.sort(key=lambda entry: entry[:2])
    for _, place, labels, how in places:
        name = table.names[place]
        if found.main is None and not (further_label(name) and name != label):
            found.main, found.name = labels, name
            found.findings.append(
                Finding(
                    "label",
                    f"Column {shorten(name)} holds labels: {how}; {int(labels.sum()):,} of {len(labels):,} rows are labelled.",
                    int(labels.sum()),
                    (name,),
                    action="Taken as the label, not as a channel.",
                    alternatives=("Choose another label column",),
                )
            )
        else:
            found.others[name] = labels
            found.findings.append(
                Finding(
                    "further_label",
                    f"Column {shorten(name)} holds further labels: {how}; {int(labels.sum()):,} rows are marked.",
                    int(labels.sum()),
                    (name,),
                    action="Kept beside the label, not taken as a channel.",
                    alternatives=("Choose it as the label",),
                )
            )
    table.drop([place for _, place, _, _ in places])
    return found


def _is_binary(column: Column) -> bool:
    if not is_number(column):
        return False
    values = to_float(column)
    return set(np.unique(values[np.isfinite(values)])) == {0.0, 1.0}


def marks_of(column: Column, missing: Sequence[str], forced: bool) -> tuple[NDArray[np.int8], str] | None:
    """Labels (T,) of 0 and 1 that a column's values stand for, and in words how; None if they stand for none."""
    if is_text(column):
        text = as_text(column)
        found = numerals(text, missing, ".")
        values = found.values
        if found.wrong.any() or found.grouped:
            return _from_words(text, missing)
    elif is_number(column):
        values = to_float(column)
    else:
        return None
    present = np.isfinite(values)
    kinds = np.unique(values[present])
    if not kinds.size or kinds.size > _CLASSES or (kinds != np.round(kinds)).any():
        return None
    absent = int((~present).sum())
    unlabelled = f", {absent:,} rows without a value count as 0" if absent else ""
    marks = np.zeros(len(values), dtype=np.int8)
    if set(kinds) <= {0.0, 1.0}:
        marks[present] = values[present] != 0
        return marks, f"0 and 1{unlabelled}"
    if set(kinds) == {-1.0, 1.0}:
        rare = -1.0 if (values == -1).sum() <= (values == 1).sum() else 1.0
        marks[present] = values[present] == rare
        return marks, f"-1 and 1, of which the rarer {rare:g} counts as labelled{unlabelled}"
    if 0.0 not in kinds and not forced:
        return None
    marks[present] = values[present] != 0
    shown = ", ".join(f"{kind:g}" for kind in kinds[:8]) + (", ..." if kinds.size > 8 else "")
    return marks, f"classes {shown}, all but 0 count as labelled{unlabelled}"


def _from_words(text: pa.ChunkedArray, missing: Sequence[str]) -> tuple[NDArray[np.int8], str] | None:
    cells = text.to_pandas().astype(object)
    absent = cells.isna() | cells.isin(list(missing))
    words = cells.where(~absent, "normal").astype(str).str.lower()
    kinds = words[~absent].unique()
    if not 0 < len(kinds) <= _CLASSES or not any(kind in NORMAL for kind in kinds):
        return None
    marks = (~words.isin(NORMAL)).to_numpy().astype(np.int8)
    shown = ", ".join(sorted(shorten(str(kind), 20) for kind in kinds)[:8])
    return marks, f"classes {shown}, all but the normal one count as labelled"
