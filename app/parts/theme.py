"""Light or dark, and the one style sheet with the page icons it uses."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Literal

import streamlit as st

APP = Path(__file__).resolve().parent.parent
ICONS = APP / "icons"


def current() -> Literal["light", "dark"]:
    """The theme the browser shows now; light until the browser has told."""
    return "dark" if st.context.theme.get("type") == "dark" else "light"


@cache
def icon_variables() -> str:
    """A style rule that names each drawing of `app/icons` as a CSS variable, `--icon-train` and so on.

    Page icons are masks made of these: Streamlit's own page icons ask a font server on the network.
    """
    lines = []
    for path in sorted(ICONS.glob("*.svg")):
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        lines.append(f'--icon-{path.stem}:url("data:image/svg+xml;base64,{data}");')
    return f"<style>:root{{{''.join(lines)}}}</style>"


def apply() -> None:
    """Put the style sheet into the page; called once, by the navigation script."""
    st.html(icon_variables())
    # Popovers, dialogs and menus hang outside of the part that Streamlit calls light or dark, and would take the light colours.
    st.html(f"<style>:root{{color-scheme:{current()}}}</style>")
    st.html(APP / "style.css")
