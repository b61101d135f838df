"""Figures for Prometheus: off unless asked for, behind their token where one is set, right, and without a name."""

import sys
import urllib.error
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import Served
from starlette.applications import Starlette
from starlette.testclient import TestClient

from amad.errors import AmadError, ConfigError
from amad.workspace.tables import RunRow
from app.server import metrics, tokens
from app.server.counts import COUNTS
from app.server.routes import routes

TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture
def ask(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client for the routes with figures on, as whoever comes by."""
    monkeypatch.setenv("AMAD_METRICS", "1")
    monkeypatch.delenv("AMAD_METRICS_TOKEN", raising=False)
    monkeypatch.setattr(metrics, "KEEP_SECONDS", 0.0)
    client = TestClient(Starlette(routes=routes()))
    return lambda **headers: client.get("/amad/metrics", headers=headers)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_unless_asked_for_there_is_no_such_route(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for off in ("", "0"):
        monkeypatch.setenv("AMAD_METRICS", off)
        assert TestClient(Starlette(routes=routes())).get("/amad/metrics").status_code == 404


def test_jobs_rows_and_disk_are_told(ask: Any, served: Served) -> None:
    before = samples(ask().text)
    assert before["amad_jobs", "run", "queued"] == 1
    assert before["amad_jobs", "scoring", "done"] == 0
    assert before["amad_scored_rows",] == served.series.rows
    assert before["amad_workers",] == 0
    assert before["amad_workspace_bytes",] > 4 * 3 * served.series.rows
    assert before["amad_disk_free_bytes",] > 0
    assert before["amad_oldest_waiting_seconds",] > 0
    claim = served.store.states.claim(RunRow, served.run.id)
    served.store.states.finish(claim, "done")
    after = samples(ask().text)
    assert (after["amad_jobs", "run", "queued"], after["amad_jobs", "run", "done"]) == (0, 1)
    assert after["amad_oldest_waiting_seconds",] == 0
    assert after["amad_job_seconds", "run"] > 0


def test_uploads_and_pages_are_counted(ask: Any, served: Served) -> None:
    before = samples(ask().text)
    word = {"x-amad-token": tokens.mint_upload(served.store, "me")}
    key = served.client.post("/amad/uploads", json={"name": "secret name.csv", "size": 6}, headers=word).json()["id"]
    served.client.put(f"/amad/uploads/{key}", params={"offset": 0}, content=b"a,b\n1,", headers=word)
    served.client.post("/amad/uploads", json={"name": "x.csv", "size": 6}, headers={"x-amad-token": "forged"})
    with COUNTS.page("Train"):
        pass
    with pytest.raises(ZeroDivisionError), COUNTS.page("Train"):
        1 / 0  # noqa: B018
    after = samples(ask().text)

    def more(*name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert (more("amad_uploads_total", "begun"), more("amad_uploads_total", "whole")) == (1, 1)
    assert more("amad_uploads_total", "refused") == 1
    assert more("amad_upload_bytes_total") == 6
    assert (more("amad_page_runs_total", "Train"), more("amad_page_errors_total", "Train")) == (2, 1)


def test_no_name_and_no_id_is_in_it(ask: Any, served: Served) -> None:
    text = ask().text
    for name in (served.series.name, served.series.id, served.run.name, served.run.id, *served.series.channels):
        assert f'"{name}"' not in text
    assert str(served.store.path) not in text


def test_with_a_token_nobody_else_is_told_anything(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAD_METRICS_TOKEN", TOKEN)
    for wrong in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": TOKEN}):
        answer = ask(**wrong)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "amad_" not in answer.text
    assert ask(authorization=f"Bearer {TOKEN}").status_code == 200


def test_a_database_that_does_not_answer_is_a_status(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("disk gone: /secret/path")

    monkeypatch.setattr(metrics.workspace, "current", broken)
    answer = ask()
    assert answer.status_code == 503
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("setting", "token", "says"),
    [
        ("yes", "", 'AMAD_METRICS is "yes". Give 1, or host:port such as 127.0.0.1:9464.'),
        ("127.0.0.1:port", "", "Give 1, or host:port"),
        ("1", "short", "AMAD_METRICS_TOKEN must be at least 16 printable characters"),
        ("1", "with spaces in between", "AMAD_METRICS_TOKEN must be"),
    ],
)
def test_settings_that_cannot_be_are_told(setting: str, token: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace(".", r"\.")) as caught:
        metrics.wanted({"AMAD_METRICS": setting, "AMAD_METRICS_TOKEN": token})
    assert not token or token not in str(caught.value)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError) as caught:
        metrics.wanted({"AMAD_METRICS": "1"})
    assert str(caught.value) == 'AMAD_METRICS needs one package more. Install it with: pip install "amad[metrics]"'
    assert metrics.wanted({}) is False


def test_a_server_of_their_own_serves_figures_and_nothing_else(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_port", None)
    monkeypatch.setenv("AMAD_METRICS", "127.0.0.1:0")
    port = metrics.start()
    assert port == metrics.start()  # once
    assert not [route for route in routes() if getattr(route, "path", "") == "/amad/metrics"]  # no longer the app's
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/amad/metrics", timeout=10) as answer:
        assert b"amad_jobs" in answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/amad/health", timeout=10)
    monkeypatch.setattr(metrics, "_port", None)
    monkeypatch.setenv("AMAD_METRICS", f"127.0.0.1:{port}")
    with pytest.raises(AmadError, match="cannot be listened on"):
        metrics.start()
