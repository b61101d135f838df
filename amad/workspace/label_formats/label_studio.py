"""Label Studio's time-series JSON: how our labels map onto it, and back (docs/labelling.md names the mapping)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from amad.errors import InputError
from amad.workspace.incident_records import STATUS_WORDS, Comment, Incident, is_label_id
from amad.workspace.label_formats.drafts import Axis, Draft, Incoming, Written, collected, moment_of, number_of
from amad.workspace.records import clean_text

LABELS = "timeserieslabels"


def write(
    labels: Sequence[Incident], axis: Axis, channels: Sequence[str], threads: Mapping[str, Sequence[Comment]]
) -> Written:
    """One task with one annotation; each label is a region with further results of the same id."""
    results: list[dict[str, Any]] = []
    for one in labels:
        start, end = (_edge(axis, row) for row in (one.start_row, one.end_row - 1))
        region = {"start": start, "end": end, "instant": one.rows == 1}
        results.append(_result(one.id, LABELS, "label", {**region, LABELS: [one.type]}))
        for name, value in (("severity", one.severity), ("confidence", one.confidence)):
            if value is not None:
                results.append(_result(one.id, "number", name, {**region, "number": value}))
        if one.channels:
            results.append(_result(one.id, "choices", "channels", {**region, "choices": list(one.channels)}))
        results.append(_result(one.id, "choices", "status", {**region, "choices": [one.status]}))
        if one.note:
            results.append(_result(one.id, "textarea", "note", {**region, "text": [one.note]}))
        results.append(_result(one.id, "textarea", "author", {**region, "text": [one.author]}))
    task = {
        "id": 1,
        "data": {"series": axis.name, "rows": axis.rows, "channels": list(channels)},
        "annotations": [{"id": 1, "result": results}],
    }
    lost = ["when a label was made and changed, and the history"]
    if any(one.sure or one.possible for one in labels):
        lost.append("uncertain edges")
    if any(threads.get(one.id) for one in labels):
        lost.append("comments")
    if axis.time is not None and len(set(map(str, axis.time))) < axis.rows:
        lost.append("which of several rows of the same time an edge means")
    lost.append("codes, patterns and rules of the types")
    return Written(json.dumps([task], indent=1, ensure_ascii=False, allow_nan=False).encode(), ".json", tuple(lost))


def read(content: Any, axis: Axis, name: str) -> Incoming:
    """Labels of a full export (tasks with annotations), or of JSON-MIN (tasks with `label`). Errors: InputError."""
    tasks = content if isinstance(content, list) else [content]
    if len(tasks) > 1:
        fitting = [task for task in tasks if axis.name and axis.name in json.dumps(task.get("data", task))]
        if len(fitting) != 1:
            raise InputError(f"{name}: holds {len(tasks)} tasks. Keep the one of this series.")
        tasks = fitting
    drafts, errors, notes = [], [], []
    for task in tasks:
        for number, parts in enumerate(_regions(task), 1):
            place = f"region {number}"
            try:
                drafts.append(_draft(parts, axis, place))
            except InputError as error:
                errors.append(str(error))
    if errors:
        raise collected(errors, name)
    many = [len(task.get("annotations") or ()) for task in tasks]
    if any(count > 1 for count in many):
        notes.append("The task has several annotations; the labels of all come in.")
    return Incoming("Label Studio JSON", tuple(drafts), (), tuple(notes))


def looks_like(content: Any) -> bool:
    """Whether parsed JSON has the form of a Label Studio export."""
    tasks = content if isinstance(content, list) else [content]
    return bool(tasks) and all(
        isinstance(task, dict)
        and (isinstance(task.get("annotations", task.get("completions")), list) or _min_regions(task))
        for task in tasks
    )


def _edge(axis: Axis, row: int) -> str | int:
    if axis.time is None:
        return row
    return axis.at(row) if axis.dated else int(axis.time[row])


def _result(key: str, kind: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "type": kind, "from_name": name, "to_name": "series", "value": value}


def _min_regions(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        entry
        for value in task.values()
        if isinstance(value, list)
        for entry in value
        if isinstance(entry, dict) and isinstance(entry.get(LABELS), list) and "start" in entry
    ]


def _regions(task: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Results of the same id together, in the order in which they come."""
    found: dict[str, list[dict[str, Any]]] = {}
    annotations = task.get("annotations", task.get("completions"))
    if not isinstance(annotations, list):
        return [[{"value": entry, "type": LABELS}] for entry in _min_regions(task)]
    for place, annotation in enumerate(annotations):
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        results = annotation.get("result")
        for number, result in enumerate(results if isinstance(results, list) else []):
            if isinstance(result, dict) and isinstance(result.get("value"), dict):
                key = f"{place} {result.get('id', f'none {number}')}"
                made = dict(result)
                made["_annotation"] = annotation
                found.setdefault(key, []).append(made)
    return [parts for parts in found.values() if any(LABELS in part["value"] for part in parts)]


def _draft(parts: list[dict[str, Any]], axis: Axis, place: str) -> Draft:
    region = next(part for part in parts if LABELS in part["value"])
    value = region["value"]
    if "start" not in value or not value.get(LABELS):
        raise InputError(f"{place} has no start or no label.")
    start, end = axis.span(value["start"], value.get("end", value["start"]), place)
    fields: dict[str, Any] = {}
    for part in parts:
        name, held = part.get("from_name"), part["value"]
        if name in ("severity", "confidence"):
            fields[name] = number_of(held.get("number", held.get("rating")), place, str(name))
        elif name == "channels" and isinstance(held.get("choices"), list):
            fields["channels"] = tuple(map(str, held["choices"]))
        elif name == "status" and held.get("choices") and str(held["choices"][0]) in STATUS_WORDS:
            fields["status"] = str(held["choices"][0])
        elif name in ("note", "author") and held.get("text"):
            text = held["text"]
            fields[name] = "\n".join(map(str, text)) if isinstance(text, list) else str(text)
    annotation = region.get("_annotation", {})
    if "author" not in fields and isinstance(annotation.get("completed_by"), dict):
        fields["author"] = clean_text(str(annotation["completed_by"].get("email", "")))
    created = annotation.get("created_at")
    key = str(region.get("id", ""))
    return Draft(
        start, end, clean_text(str(value[LABELS][0])), id=key if is_label_id(key) else "", created=moment_of(created, place, "created_at"),
        place=place, **fields,
    )  # fmt: skip
