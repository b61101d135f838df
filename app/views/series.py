"""Series."""

import streamlit as st

from app.parts import page

page.top("Series")
