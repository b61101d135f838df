"""Server entry: `streamlit run app/main.py` serves the pages of home.py and the routes under /amad/ from one process."""

import logging
import sys
from pathlib import Path

# Under `streamlit run` only this folder is on the path; the two packages, `amad` and `app`, lie one above it.
_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

import streamlit as st  # noqa: E402

# What keeps its results is defined below before there is a server, on which Streamlit would remark once for each.
logging.getLogger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)

from app.server.exposure import guard  # noqa: E402
from app.server.headers import middleware  # noqa: E402
from app.server.routes import routes  # noqa: E402
from app.server.start import ready  # noqa: E402
from app.server.warm import lifespan  # noqa: E402

ready()
guard(st.get_option("server.address"), st.secrets)
app = st.App(Path(__file__).resolve().with_name("home.py"), routes=routes(), middleware=middleware(), lifespan=lifespan)
