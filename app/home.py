"""Navigation: the pages, the shared sidebar, the look. AppTest and `main.py` both run this script."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, ROOT)

from amad import logs  # noqa: E402
from app.parts import clicks, page, sidebar, signing, theme, upkeep  # noqa: E402
from app.server.counts import COUNTS  # noqa: E402

PAGES = ("Series", "Train", "Incidents", "Frequencies", "Attention", "Divergence", "Compare", "Teach")

st.set_page_config(
    page_title="AMAD", page_icon=str(theme.ICONS / "mark.svg"), layout="wide", initial_sidebar_state="expanded"
)
theme.apply()
if not signing.gate():
    st.stop()
st.logo(theme.ICONS / "logo.svg", size="medium", icon_image=theme.ICONS / "mark.svg")
current = st.navigation(
    [
        st.Page(f"views/{name.lower()}.py", title=name, url_path=name.lower(), default=name == PAGES[0])
        for name in PAGES
        if (Path(__file__).parent / "views" / f"{name.lower()}.py").exists()
    ],
    expanded=True,
)
logs.note(user=signing.name(), page=current.title)
page.boxed(sidebar.draw)()
with COUNTS.page(current.title):
    page.boxed(current.run)()
clicks.forget()
upkeep.clear_up()
