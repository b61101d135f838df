"""Several files as one: those with the same columns follow each other, files of labels are told from data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amad.errors import InputError
from amad.series.clocks import Axis
from amad.series.label_files import SideFile
from amad.series.labels import Labels, marks_of
from amad.series.names import label_like
from amad.series.parts import Part
from amad.series.quality import listed
from amad.series.scratch import Scratch, each, release
from amad.series.series import Finding


def split(parts: list[Part], sides: Sequence[SideFile]) -> tuple[list[Part], list[SideFile]]:
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
        alone = len(parts) == 1 and not sides and len(part.channels) == 1 and marks is None and not part.named
        if alone and "label" in part.file.stem.lower() and set(np.unique(part.values[0])) <= {0.0, 1.0}:
            # One column without a name, of nothing but 0 and 1, in a file that is called labels: no series.
            labels.append(SideFile(part.file, "column", labels=part.values[0].astype(np.int8), time=_axis(part)))
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


def join(parts: list[Part], scratch: Scratch | None = None) -> Part:
    """Files with the same columns, one after the other in time, or in the order of their names.

    With a folder for scratch the values of all stand there, and those of the parts are gone.
    """
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
    shape = (len(first.channels), rows)
    values = np.empty(shape, dtype=np.float32) if scratch is None else scratch.values(*shape)
    begin = 0
    findings: list[Finding] = []
    for part in ordered:
        for into, channel in zip(each(values), first.channels, strict=True):
            into[begin : begin + part.rows] = part.values[part.channels.index(channel)]
            release(part.values)
        begin += part.rows
        if scratch is not None:
            scratch.drop(part.values)
        findings += [finding for finding in part.findings if finding not in findings]
    axis = None
    if timed:
        axes = [part.axis for part in ordered if part.axis is not None]
        noticed = [finding for one in axes for finding in one.findings]
        if isinstance(axes[0].values, pd.DatetimeIndex):
            stamps: Any = axes[0].values.append([one.values for one in axes[1:]])  # type: ignore[misc]
        else:
            stamps = np.concatenate([one.values for one in axes])
        axis = Axis(axes[0].name, stamps, noticed[:1])
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
