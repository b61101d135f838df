"""Before the app serves anybody: settings that cannot be end it with a sentence, and its log is what was asked for, line by line."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.browser.serving import Server

MAIN = Path(__file__).resolve().parents[3] / "app" / "main.py"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AMAD_MAX_ROWS", "many", "amad: AMAD_MAX_ROWS is 'many'. Set it to the most rows of a series"),
        ("AMAD_LOG", "xml", "amad: AMAD_LOG is 'xml'. Set it to text or json, or unset it."),
        ("AMAD_METRICS", "yes", 'amad: AMAD_METRICS is "yes". Give 1, or host:port'),
    ],
)
def test_the_app_does_not_start_with_a_setting_that_cannot_be(name: str, value: str, says: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", "0"]
    environment = {**os.environ, "AMAD_WORKSPACE": str(tmp_path), name: value}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert found.returncode == 2
    assert says in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.slow
def test_a_server_writes_nothing_but_objects_and_serves_its_figures(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    server = Server(tmp_path / "workspace", log, environment={"AMAD_LOG": "json", "AMAD_METRICS": "1"})
    try:
        server.start()
        refused = urllib.request.Request(f"{server.url}/amad/uploads", b"{}", {"x-amad-token": "forged"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(refused, timeout=10)
        with urllib.request.urlopen(f"{server.url}/amad/metrics", timeout=10) as answer:
            assert b'amad_uploads_total{outcome="refused"} 1.0' in answer.read()
    finally:
        server.stop()
    told = [line for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    lines = [json.loads(line) for line in told]
    assert any(line["logger"] == "app.server.uploads" and line["level"] == "warning" for line in lines)
    # Streamlit greets on standard output, which is no log; whatever has a level is ours to write
    assert not [line for line in log.read_text("utf-8").splitlines() if " INFO " in line or line.startswith("INFO:")]
