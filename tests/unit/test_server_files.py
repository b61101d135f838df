"""The files of a server: containers that hold no rights, commands that exist, settings that are named."""

import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from amad.cli.arguments import build

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name, one in SERVICES.items() if one["image"] == "amad"]
PROGRAMS = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_hold_no_rights_and_share_one_workspace(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name == "ray-node":  # it computes, and knows neither workspace nor database
        assert "volumes" not in service
        assert not [setting for setting in service["environment"] if setting.startswith("AMAD_")]
        return
    assert service["volumes"] == ["workspace:/workspace"]
    assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert service["environment"]["AMAD_ENGINE"] == ("ray" if name == "worker-ray" else "queue")


def test_ports_are_published_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_is_in_the_example_and_the_docs() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))
    given = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    assert asked == given
    told = "".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("guide", "server", "jobs"))
    ours = {name for service in OURS for name in SERVICES[service]["environment"] if not name.startswith("RAY_USAGE")}
    assert not [name for name in ours if f"`{name}" not in told]


@pytest.mark.parametrize("name", [name for name in OURS if "command" in SERVICES[name]])
def test_commands_exist(name: str) -> None:
    service = SERVICES[name]
    words = [service["command"], service["healthcheck"]["test"][1:]]
    if words[0][:2] == ["sh", "-c"]:
        words[:1] = [shlex.split(one) for one in re.split(r"&& (?:exec )?", words[0][2])]
    for command in words:
        if command[0] == "ray":
            asked = [word.split("=")[0] for word in command[2:] if word.startswith("--")]
            told = subprocess.run(
                [sys.executable, "-m", "ray.scripts.scripts", command[1], "--help"],
                capture_output=True, text=True, check=True, timeout=120,
            ).stdout  # fmt: skip
            assert [word for word in asked if word in told] == asked
        else:
            assert command[0] == "amad"
            assert build().parse_args(command[1:]).handler


def test_the_image_runs_without_rights_and_installs_what_is_pinned() -> None:
    steps = [line for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]
    users = [line for line in steps if line.startswith("USER")]
    assert users == ["USER 1000"]
    assert steps.index(users[0]) > max(steps.index(line) for line in steps if line.startswith("RUN"))
    copied = {word for line in steps if line.startswith("COPY") for word in shlex.split(line)[1:-1]}
    assert all((ROOT / word).exists() for word in copied)
    assert {"requirements.txt", "locks"} <= copied
    assert "--require-hashes" in DOCKERFILE
    pins = (ROOT / "requirements-server.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line for line in pins if line and not line.startswith("#"))


def test_a_linter_of_dockerfiles_finds_nothing() -> None:
    if platform.machine() != "x86_64" and sys.platform != "darwin":
        pytest.skip("hadolint comes as a package for x86-64 and macOS alone")
    said = subprocess.run(
        [PROGRAMS / "hadolint", "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, timeout=120
    )
    assert (said.returncode, said.stdout) == (0, "")


def test_the_compose_file_is_one_by_its_published_schema(tmp_path: Path) -> None:
    checker = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    good = subprocess.run([*checker, ROOT / "compose.yaml"], capture_output=True, text=True, timeout=120)
    assert good.returncode == 0, good.stdout
    bad = tmp_path / "compose.yaml"
    bad.write_text(COMPOSE.replace("read_only: true", "read_only: [1]"), encoding="utf-8")
    assert subprocess.run([*checker, bad], capture_output=True, timeout=120).returncode == 1


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_the_locks_hold_what_is_pinned_each_file_with_its_hash(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    packages = [part for part in re.split(r"\n(?=\S)", text) if not part.startswith("#")]
    assert packages
    assert not [part for part in packages if "--hash=sha256:" not in part]
    locked = {part.split()[0] for part in packages}
    pins = [
        re.sub(r"\[.*\]", "", line).lower()
        for file in ("requirements.txt", "requirements-server.txt")
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        if re.match(r"\w", line)
    ]
    assert [pin for pin in pins if pin not in locked] == (
        [pin for pin in pins if pin.startswith("torch==")] if name == "cpu" else []
    )
    assert any(part.startswith("nvidia-") for part in locked) == (name == "cuda")
