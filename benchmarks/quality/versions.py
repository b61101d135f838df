"""Version strings of what scores depend on, from `versions.toml`: a change there makes cached scores stale."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "versions.toml"


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def version(name: str) -> str:
    """The version of `amad`, `baselines` or `metrics`."""
    return str(_read()[name])


def neutral() -> dict[str, Any]:
    """Settings that came later, with the value that changes nothing."""
    return dict(_read()["neutral"])
