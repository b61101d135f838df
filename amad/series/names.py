"""What the names of columns say about their part: time, label, counter, or a channel like any other."""

from __future__ import annotations

import re

_TIME = frozenset(
    [
        "time",
        "timestamp",
        "timestamps",
        "datetime",
        "date",
        "ts",
        "epoch",
        "unixtime",
        "unix",
        "utc",
        "zeit",
        "zeitstempel",
        "datum",
        "uhrzeit",
        "heure",
        "fecha",
        "hora",
    ]
)
_COUNTER = frozenset(
    [
        "sample",
        "samples",
        "index",
        "idx",
        "step",
        "steps",
        "row",
        "rows",
        "seq",
        "sequence",
        "frame",
        "counter",
        "nr",
        "no",
        "id",
        "tick",
        "ticks",
        "t",
    ]
)
# In the order in which they are taken when a file has several.
_LABEL = [
    "label",
    "labels",
    "is_anomaly",
    "anomaly",
    "anomalies",
    "anomaly_label",
    "is_anomalous",
    "anomalous",
    "ground_truth",
    "groundtruth",
    "gt",
    "outlier",
    "is_outlier",
    "attack",
    "attacks",
    "normal_attack",
    "fault",
    "faults",
    "failure",
    "event",
    "events",
    "event_label",
    "incident",
    "incidents",
    "target",
    "y",
    "class",
]
_FURTHER = frozenset(["changepoint", "changepoints", "change_point"])
_WEAK = frozenset(["occupancy", "occupied", "state", "status", "machine_status", "condition"])


def words(name: str) -> list[str]:
    """The words of a name in lower case: `Timestamp_(min)` gives timestamp, min."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[^\W_]+", spaced.lower())


def plain(name: str) -> str:
    """The name in lower case with single underscores between its words."""
    return "_".join(words(name))


def time_like(name: str) -> bool:
    """Whether the name says that the column is a time."""
    found = words(name)
    return bool(found) and (found[0] in _TIME or found[-1] in _TIME or "".join(found) in _TIME) and len(found) <= 4


def counter_like(name: str) -> bool:
    """Whether the name says that the column counts rows or samples."""
    found = words(name)
    return 0 < len(found) <= 2 and (found[0] in _COUNTER or found[-1] in _COUNTER)


def exact_name(name: str) -> bool:
    """Whether the name may be that of a time, a label or a counter, whose values are not to be rounded."""
    return time_like(name) or label_like(name) or counter_like(name) or not name.strip() or name.startswith("__")


def label_rank(name: str) -> int | None:
    """How strongly the name says "label" (0 is strongest), None if it does not."""
    text = plain(name)
    for candidate in (text, "".join(words(name)), text.removeprefix("is_").removeprefix("true_")):
        if candidate in _LABEL:
            return _LABEL.index(candidate)
    if text in _FURTHER:
        return len(_LABEL)
    return len(_LABEL) + 1 if text in _WEAK else None


def label_like(name: str) -> bool:
    """Whether the name says that the column is a label of some kind."""
    return label_rank(name) is not None


def further_label(name: str) -> bool:
    """Whether the name is that of a second kind of label, such as a change point."""
    return plain(name) in _FURTHER


def weak_label(name: str) -> bool:
    """Whether the name says "label" only when the values do so too and the column is the last one."""
    return plain(name) in _WEAK
