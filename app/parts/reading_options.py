"""The form of the reading options: what a reader cannot find out by itself, or found out wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from app.parts.clicks import clicked

DETECT = "Detect"
_SEPARATORS = {DETECT: None, "Comma": ",", "Semicolon": ";", "Tab": "\t", "Bar": "|", "Space": " "}
_DECIMALS = {DETECT: None, "Point": ".", "Comma": ","}
_HEADERS = {DETECT: None, "First row": True, "None": False}
_DAYS = {DETECT: None, "Day first": True, "Month first": False}


def form(key: str, columns: Sequence[str] = ()) -> dict[str, Any] | None:
    """The reading options; returns them as `amad.series.read` takes them once "Read again" is pressed, else None."""
    with st.form(f"{key}-form", border=False):
        left, right = st.columns(2, gap="small")
        with left:
            separator = st.selectbox(
                "Separator", list(_SEPARATORS), key=f"{key}-separator", accept_new_options=True,
                help="Of text files. Another one may be typed.",
            )  # fmt: skip
            time = st.selectbox(
                "Time column", [DETECT, *columns], key=f"{key}-time", accept_new_options=True,
                help="A column name may be typed.",
            )  # fmt: skip
            label = st.selectbox(
                "Label column", [DETECT, *columns], key=f"{key}-label", accept_new_options=True,
                help="A column of 0 and 1; it is never a channel.",
            )  # fmt: skip
            missing = st.text_input(
                "Missing tokens", key=f"{key}-missing", placeholder="n/a; -9999",
                help="Texts that stand for a missing value, besides empty cells; separated by semicolons.",
            )  # fmt: skip
        with right:
            decimal = st.selectbox("Decimal mark", list(_DECIMALS), key=f"{key}-decimal")
            zone = st.selectbox(
                "Time zone", [DETECT, "UTC", *_zones()], key=f"{key}-zone",
                help="Zone of times that name none. Detect leaves them as written.",
            )  # fmt: skip
            header = st.selectbox(
                "Header", list(_HEADERS), key=f"{key}-header", help="Whether the first row names the columns."
            )
            day_first = st.selectbox("Dates", list(_DAYS), key=f"{key}-day", help="How 03/04/2024 is read.")
        sent = clicked("Read again", key=f"{key}-again", button=st.form_submit_button, icon=":material/refresh:")
    if not sent:
        return None
    given: dict[str, Any] = {
        "separator": _SEPARATORS.get(separator, separator),
        "decimal": _DECIMALS[decimal],
        "header": _HEADERS[header],
        "day_first": _DAYS[day_first],
        "time": None if time == DETECT else time,
        "label": None if label == DETECT else label,
        "timezone": None if zone == DETECT else zone,
        "missing": tuple(token.strip() for token in missing.split(";") if token.strip()),
    }
    return {name: value for name, value in given.items() if value not in (None, ())}


@st.cache_data(show_spinner=False)
def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
