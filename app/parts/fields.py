"""The form of all settings: every field of `amad.config`, grouped, with its meaning, unit and range as help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from amad.config import fields, make_config
from amad.errors import AmadError
from app.parts import text

PRESETS = ("quick", "balanced", "paper")
_GROUPS = {
    "data": "Data",
    "model": "Model",
    "objective": "Objective",
    "training": "Training",
    "detection": "Detection",
}
_ELSEWHERE = ("device", "threshold", "detector")  # chosen by controls of their own, the detector on Compare


def form(preset: str, channels: Sequence[str], leave_out: Sequence[str] = _ELSEWHERE) -> dict[str, Any]:
    """Draw the fields; returns those that differ from the preset, as `make_config` takes them.

    Each preset keeps its own changes for the session, so that going back to it finds them again.
    """
    values = make_config(preset).model_dump()
    known = fields()
    groups = list(dict.fromkeys(field["group"] for field in known.values()))
    changed: dict[str, Any] = {}
    for group, tab in zip(groups, st.tabs([_GROUPS.get(name, name.capitalize()) for name in groups]), strict=True):
        with tab:
            columns = st.columns(2, gap="small")
            mine = [name for name, field in known.items() if field["group"] == group and name not in leave_out]
            for place, name in enumerate(mine):
                with columns[place % 2]:
                    value = _widget(f"amad_set_{preset}_{name}", known[name], values[name], channels)
                if value is not None and value != values[name]:
                    changed[name] = value
    return changed


def changes_in_words(preset: str, changed: Mapping[str, Any]) -> str:
    """The grey line under the form: which fields differ from the preset."""
    if not changed:
        return f"All settings as in {preset}."
    titles = fields()
    told = [f"{titles[name]['title']} {_plain(value)}" for name, value in changed.items()]
    said = f"Changed: {', '.join(told[:3])}" + (f" and {len(told) - 3} more." if len(told) > 3 else ".")
    follow = [f"{titles[name]['title']} {_plain(value)}" for name, value in _following(preset, changed).items()]
    return said + (f" With the window: {', '.join(follow)}." if follow else "")


def _following(preset: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings change by themselves: a preset's strides within a shorter window. None where they do not fit."""
    try:
        found = make_config(preset, changed).model_dump()
    except AmadError:  # told beside the form
        return {}
    usual = make_config(preset).model_dump()
    return {name: value for name, value in found.items() if name not in changed and value != usual[name]}


def about(field: Mapping[str, Any], default: Any) -> str:
    """Help of one field: meaning, unit, range, value of the preset."""
    low, high = field["minimum"], field["maximum"]
    parts = [text.escape(field["description"])]
    if field["unit"]:
        parts.append(f"Unit: {field['unit']}.")
    if low is not None and high is not None:
        parts.append(f"From {_plain(low)} to {_plain(high)}.")
    elif low is not None:
        parts.append(f"At least {_plain(low)}.")
    parts.append(f"Preset: {_plain(default)}.")
    return " ".join(parts)


def _widget(key: str, field: Mapping[str, Any], default: Any, channels: Sequence[str]) -> Any:
    title = field["title"] + (f" ({field['unit']})" if field["unit"] else "")
    shared: dict[str, Any] = {"key": key, "help": about(field, default), "persist_state": "session"}
    if isinstance(default, tuple):
        chosen = st.multiselect(title, list(channels), default=list(default), placeholder="All", **shared)
        return tuple(chosen)
    if field["choices"]:
        choices = list(field["choices"])
        return st.selectbox(title, choices, index=choices.index(default), **shared)
    if isinstance(default, bool):
        return st.checkbox(title, value=default, **shared)
    if isinstance(default, int):
        return st.number_input(
            title,
            value=default,
            step=1,
            min_value=_whole(field["minimum"]),
            max_value=_whole(field["maximum"]),
            **shared,
        )
    if isinstance(default, float):
        low, high = field["minimum"], field["maximum"]
        return st.number_input(
            title,
            value=default,
            min_value=None if low is None else float(low),
            max_value=None if high is None else float(high),
            step=_step(default),
            format="%g",
            **shared,
        )
    return st.text_input(title, value=str(default), **shared)


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


def _step(value: float) -> float:
    """A tenth of the value's own order: 0.0001 for 0.001."""
    return float(f"{abs(value) / 10:.0e}") if value else 0.1


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return text.number(value, 4)
    if isinstance(value, tuple):
        return text.names(value) if value else "all"
    return text.escape(value)
