"""Without sign-in, the app serves its own machine alone unless it is told to be open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.server.exposure import ALLOWED, is_local, verdict

MAIN = Path(__file__).resolve().parents[3] / "app" / "main.py"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"])
def test_this_machine_alone_needs_no_word(address: str) -> None:
    assert is_local(address)
    assert verdict(address, {}) == (True, "")


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0.0", "::", "192.168.1.4", "plant.example.org", "127.0.0.1.example.org"]
)
def test_any_other_address_is_refused_or_warned_of(address: str | None) -> None:
    may, said = verdict(address, {})
    assert not may
    assert f"{ALLOWED}=1" in said
    may, said = verdict(address, {ALLOWED: "1"})
    assert may
    assert "WARNING" in said
    assert verdict(address, {ALLOWED: "yes"})[0] is False


def test_the_app_does_not_start_where_others_reach_it(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != ALLOWED}
    command = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.address", "0.0.0.0", "--server.port", "0"]
    found = subprocess.run(
        command, env={**environment, "AMAD_WORKSPACE": str(tmp_path)}, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 2
    assert "amad: the app would listen on 0.0.0.0" in found.stderr
    assert "Traceback" not in found.stderr
