"""Modules, health and headers: kept for good under their hash, never outside their folder, safe by default."""

import re
from pathlib import Path

import pytest
from serving import Served
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config

import amad
from app.server import modules
from app.server import workspace as server_workspace
from app.server.headers import DATA_POLICY, PAGE_POLICY, middleware
from app.server.routes import routes

FOLDER = Path(modules.__file__).resolve().parents[1] / "components" / "timeline"


def test_a_module_is_kept_for_good_under_its_hash(served: Served) -> None:
    answer = served.client.get(modules.module_url("timeline"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == (FOLDER / "index.js").read_bytes()


@pytest.mark.parametrize(
    "address", ["/amad/modules/timeline/index.js", "/amad/modules/timeline/0123456789abcdef/index.js"]
)
def test_a_module_under_no_or_an_old_hash_is_not_kept(served: Served, address: str) -> None:
    answer = served.client.get(address)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "address",
    [
        "/amad/modules/timeline/data.py",
        "/amad/modules/timeline/..%2f..%2fmain.py",
        "/amad/modules/..%2fserver/routes.py",
        "/amad/modules/nothing/index.js",
    ],
)
def test_only_modules_are_served(served: Served, address: str) -> None:
    assert served.client.get(address).status_code == 404


def test_every_import_of_the_modules_can_be_served_and_names_no_other_host() -> None:
    for path in FOLDER.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("// "), f"{path.name} does not say what it is for"
        assert text.count("\n") < 400, f"{path.name} has grown into two"
        for target in re.findall(r"""(?:\bfrom |import\()\s*["'](\.[^"']+)["']""", text):
            assert (FOLDER / target).resolve().parent == FOLDER
            assert (FOLDER / target).is_file()
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
        assert "innerHTML" not in text


def test_the_loader_holds_a_line_break_or_streamlit_takes_it_for_a_path() -> None:
    assert "\n" in modules.loader("timeline").strip()


def test_a_changed_module_changes_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "index.js").write_text("// one")
    monkeypatch.setattr(modules, "_COMPONENTS", tmp_path)
    first = modules.fingerprint("thing")
    (folder / "index.js").write_text("// other")
    assert modules.fingerprint("thing") != first


def test_health_says_version_and_database(served: Served) -> None:
    answer = served.client.get("/amad/health")
    assert answer.json() == {"status": "ok", "version": amad.__version__, "database": "ok"}


def test_health_fails_when_the_database_does(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("disk gone")

    monkeypatch.setattr(server_workspace, "current", broken)
    answer = served.client.get("/amad/health")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "version": amad.__version__, "database": "failing"}


def test_our_answers_and_pages_carry_their_headers(served: Served) -> None:
    page = Route("/page", lambda _: HTMLResponse("<p>page</p>"))
    client = TestClient(Starlette(routes=[page, *routes()], middleware=middleware()))
    for address, policy in (
        ("/page", PAGE_POLICY),
        ("/amad/health", DATA_POLICY),
        ("/amad/timeline/data", DATA_POLICY),
    ):
        headers = client.get(address).headers
        assert headers["content-security-policy"] == policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'self'" in PAGE_POLICY


def test_the_base_path_goes_before_every_route() -> None:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "/tools/amad/")
    try:
        paths = {getattr(route, "path", "") for route in routes()}
        assert "/tools/amad/amad/health" in paths
        assert all(path.startswith("/tools/amad/amad/") for path in paths - {"/tools/amad/series"})
        assert modules.module_url("timeline").startswith("/tools/amad/amad/modules/timeline/")
    finally:
        config.set_option("server.baseUrlPath", before)


@pytest.mark.parametrize("query", ["", "?series=abc&run=d%2Fe"])
def test_the_first_page_is_there_by_its_name_with_what_the_link_says(served: Served, query: str) -> None:
    answer = served.client.get(f"/series{query}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/{query}")
