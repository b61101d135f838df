"""Server entry: `streamlit run app/main.py` serves the pages of home.py and the routes under /amad/ from one process."""

import sys
from pathlib import Path

# Under `streamlit run` only this folder is on the path; the two packages, `amad` and `app`, lie one above it.
_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

import streamlit as st  # noqa: E402

from app.server.headers import middleware  # noqa: E402
from app.server.routes import routes  # noqa: E402
from app.server.warm import lifespan  # noqa: E402

app = st.App(Path(__file__).resolve().with_name("home.py"), routes=routes(), middleware=middleware(), lifespan=lifespan)
