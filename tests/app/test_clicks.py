"""A click on a button counts once, whatever becomes of the run of the script that it started."""

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from app.parts.clicks import clicked, forget

    done = st.session_state.setdefault("done", {"kept": 0, "plain": 0})
    if st.session_state.pop("cut", False):
        st.rerun()  # as when a job changes its state just now: the run ends before its buttons
    if st.session_state.get("shown", True):
        if clicked("Kept", key="kept", disabled=st.session_state.get("locked", False)):
            done["kept"] += 1
        if st.button("Plain", key="plain"):
            done["plain"] += 1
    forget()


def test_a_click_is_done_once() -> None:
    app = AppTest.from_function(script).run()
    app.button(key="kept").click().run()
    assert app.session_state["done"]["kept"] == 1
    app.run()
    assert app.session_state["done"]["kept"] == 1


def test_a_click_outlives_the_run_that_is_cut_short_and_that_of_streamlit_does_not() -> None:
    app = AppTest.from_function(script).run()
    app.session_state["cut"] = True
    app.button(key="kept").click()
    app.button(key="plain").click().run()
    assert not app.exception
    assert app.session_state["done"] == {"kept": 1, "plain": 0}


@pytest.mark.parametrize(("state", "away"), [("shown", False), ("locked", True)])
def test_a_click_on_a_button_that_went_or_was_disabled_does_nothing_then_or_later(state: str, away: bool) -> None:
    app = AppTest.from_function(script).run()
    app.session_state[state] = away
    app.button(key="kept").click().run()
    app.session_state[state] = not away
    app.run()
    assert app.session_state["done"]["kept"] == 0
