"""Signing in with a real provider on this machine: who comes in, what each role may do, and what is written down."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import Workspace, audit
from tests.browser.oidc import CLIENT, SECRET, Provider
from tests.browser.profiles import profile, watched
from tests.browser.serving import Server
from tests.browser.waiting import rests

pytestmark = pytest.mark.browser
PATIENCE = int(os.environ.get("AMAD_TEST_PATIENCE", "60000"))
DRAWN = '[data-amad="timeline"][data-fresh="true"]'
ALLOWED = "*@look.example=viewer, ann@plant.example=analyst, group:chiefs=admin"
ACCOUNTS = {
    "vera": {"email": "vera@look.example", "name": "Vera <b>Viewer</b>", "email_verified": True},
    "ann": {"email": "Ann@Plant.example", "name": "Ann Analyst", "email_verified": True},
    "carl": {"email": "carl@elsewhere.example", "name": "Carl Chief", "groups": ["chiefs", "golf"]},
    "eve": {"email": "eve@elsewhere.example", "name": "Eve"},
    "mallory": {"email": "ann@plant.example", "name": "Ann Analyst", "email_verified": False},
    "late": {"email": "ann@plant.example", "name": "Ann Analyst", "iat": int(time.time()) - 13 * 3600},
}
ROWS = 600


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app behind the provider, on a workspace with one scored series."""
    folder = tmp_path_factory.mktemp("signing")
    store = Workspace.open(folder / "workspace")
    values = np.random.default_rng(0).normal(size=(ROWS, 2)).astype(np.float32)
    record = store.add_series(Series("pump", values, ("flow", "temp"), None, None, Report(ROWS)))
    config = make_config("quick", {"threshold": "value:1", "merge_gap": 0})
    run = store.create_run(record.id, name="first", preset="quick", config=config, part=(0, 250))
    store.update_run(run.id, state="running")
    store.update_run(run.id, state="done")
    score = np.full(ROWS, 0.1, dtype=np.float32)
    score[300:320] = 20.0
    shares = np.tile(np.array([0.7, 0.3], dtype=np.float32), (ROWS, 1))
    views = {"reconstruction": score, "divergence": score * 0.5}
    store.write_scores(run.id, record.id, Scores(score, views, shares, np.zeros_like(shares), score, ("flow", "temp")))
    store.close()
    provider = Provider(ACCOUNTS)
    provider.start()
    server = Server(
        folder / "workspace",
        folder / "app.log",
        environment={"AMAD_AUTH": "oidc", "AMAD_ALLOWED": ALLOWED, "AMAD_LOG": "json"},
    )
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{server.url}/oauth2callback"
cookie_secret = "{"c" * 40}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{provider.url}/.well-known/openid-configuration"
"""
    )
    server.start()
    yield server
    server.stop()
    provider.stop()


@pytest.fixture
def visitor(chromium_browser: Browser) -> Iterator[Page]:
    """A browser that nobody has used yet."""
    with profile(chromium_browser, 1440, 900, PATIENCE) as context, watched(context.new_page()) as page:
        yield page


def sign_in(page: Page, server: Server, account: str) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name=account, exact=True).click()
    page.wait_for_url(re.compile(rf"^http://{re.escape(urlsplit(server.url).netloc)}/(?!oauth2callback)"))


def test_nothing_is_shown_before_somebody_signs_in(visitor: Page, signed: Server) -> None:
    visitor.goto(f"{signed.url}/incidents")
    expect(visitor.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(visitor.get_by_text("pump")).to_have_count(0)
    expect(visitor.get_by_text("Incidents")).to_have_count(0)


@pytest.mark.parametrize("account", ["eve", "mallory"])
def test_who_is_not_on_the_list_or_whose_address_is_not_proven_stays_out(
    visitor: Page, signed: Server, account: str
) -> None:
    sign_in(visitor, signed, account)
    expect(visitor.get_by_text("may not come in here")).to_be_visible()
    expect(visitor.get_by_text("pump")).to_have_count(0)
    visitor.get_by_role("button", name="Use another account").click()
    expect(visitor.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_a_session_ends(visitor: Page, signed: Server) -> None:
    sign_in(visitor, signed, "late")
    expect(visitor.get_by_text("Your session has ended.")).to_be_visible()
    expect(visitor.get_by_text("pump")).to_have_count(0)


def test_a_viewer_sees_everything_and_changes_nothing(visitor: Page, signed: Server) -> None:
    sign_in(visitor, signed, "vera")
    expect(visitor.locator(DRAWN)).to_be_visible()
    expect(visitor.get_by_text("Vera <b>Viewer</b>, viewer", exact=True)).to_be_visible()
    expect(visitor.get_by_role("button", name="Add series", exact=True)).to_be_disabled()
    visitor.get_by_role("link", name="Train").click()
    expect(visitor.get_by_role("button", name="Start training", exact=True)).to_be_disabled()
    visitor.get_by_role("link", name="Incidents").click()
    expect(visitor.get_by_role("heading", name="1 event", exact=True)).to_be_visible()
    expect(visitor.get_by_text("You are signed in as a viewer")).to_be_visible()
    expect(visitor.get_by_role("button", name=re.compile("^Accept"))).to_have_count(0)
    visitor.get_by_role("button", name="Sign out").click()
    expect(visitor.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_an_analyst_labels_in_her_own_name_and_an_admin_reads_who_did_what(
    visitor: Page, signed: Server, chromium_browser: Browser
) -> None:
    sign_in(visitor, signed, "ann")
    expect(visitor.locator(DRAWN)).to_be_visible()
    visitor.get_by_role("link", name="Incidents").click()
    visitor.get_by_role("button", name=re.compile("^Accept")).click()
    expect(visitor.get_by_text(re.compile(r"Saved \d\d:\d\d:\d\d"))).to_be_visible()
    store = Workspace.open(signed.workspace)
    (record,) = store.series()
    (label,) = store.incidents(record.id, "test").all()
    assert label.author == "ann@plant.example"  # a shown name anybody may choose
    assert [entry for entry in audit.entries(store) if entry.who == "ann@plant.example"]
    store.close()
    visitor.get_by_role("link", name="Series").click()
    visitor.get_by_role("button", name="More", exact=True).click()
    expect(visitor.get_by_role("button", name="Delete series")).to_be_visible()
    expect(visitor.get_by_role("button", name="Who changed what (CSV)")).to_have_count(0)
    with profile(chromium_browser, 1440, 900, PATIENCE) as context, watched(context.new_page()) as other:
        sign_in(other, signed, "carl")
        expect(other.get_by_text("Carl Chief, admin", exact=True)).to_be_visible()
        other.get_by_role("button", name="More", exact=True).click()
        rests(other)
        with other.expect_download() as told:
            other.get_by_role("button", name="Who changed what (CSV)").click()
        lines = Path(told.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(audit.COLUMNS)
    assert any("ann@plant.example" in line for line in lines)
    assert any(",added,series," in line and "pump" in line for line in lines)


def test_the_log_tells_who_came_in_and_who_was_refused_and_no_secret(
    visitor: Page, signed: Server, chromium_browser: Browser
) -> None:
    sign_in(visitor, signed, "vera")
    expect(visitor.locator(DRAWN)).to_be_visible()
    with profile(chromium_browser, 1440, 900, PATIENCE) as context, watched(context.new_page()) as other:
        sign_in(other, signed, "eve")
        expect(other.get_by_text("may not come in here")).to_be_visible()
    text = signed.log.read_text(encoding="utf-8")
    told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    came = [
        (line["level"], line["message"], line.get("user")) for line in told if line["logger"] == "app.parts.signing"
    ]
    assert ("info", "signed in as viewer", "vera@look.example") in came
    assert any(message == "refused: not on the list of who may come in" for _, message, _ in came)
    for secret in (SECRET, "c" * 40, "eyJ"):
        assert secret not in text
