"""The files of a server: containers that hold no rights, commands that exist, settings that are named."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from amad.cli.arguments import build

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name, one in SERVICES.items() if one["image"] == "amad"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_hold_no_rights_and_share_one_workspace(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["workspace:/workspace"]
    assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert service["environment"]["AMAD_ENGINE"] == "queue"


def test_ports_are_published_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_is_in_the_example_and_the_docs() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))
    given = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    assert asked == given
    told = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8") + (ROOT / "docs" / "server.md").read_text(
        encoding="utf-8"
    )
    ours = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert not [name for name in ours if f"`{name}" not in told]


@pytest.mark.parametrize("name", [name for name in OURS if "command" in SERVICES[name]])
def test_commands_exist(name: str) -> None:
    service = SERVICES[name]
    for command in (service["command"], service["healthcheck"]["test"][1:]):
        assert command[0] == "amad"
        assert build().parse_args(command[1:]).handler


def test_the_image_runs_without_rights_and_installs_what_is_pinned() -> None:
    steps = [line for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]
    users = [line for line in steps if line.startswith("USER")]
    assert users == ["USER amad"]
    assert steps.index(users[0]) > max(steps.index(line) for line in steps if line.startswith("RUN"))
    copied = {word for line in steps if line.startswith("COPY") for word in shlex.split(line)[1:-1]}
    assert all((ROOT / word).exists() for word in copied)
    assert {"requirements.txt", "requirements-server.txt"} <= copied
    pins = (ROOT / "requirements-server.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line for line in pins if line and not line.startswith("#"))
