"""The server script of a page that a test mounts: the app's own routes and headers around a `home.py` beside it."""

MAIN = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from pathlib import Path
from app.server.headers import middleware
from app.server.routes import routes
app = st.App(Path(__file__).with_name("home.py"), routes=routes(), middleware=middleware())
"""
