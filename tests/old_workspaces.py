"""Workspaces that earlier schemas made (tests/data/make_workspaces.py), unpacked for a test."""

import json
import zipfile
from pathlib import Path

FILES = Path(__file__).parent / "data" / "workspaces"
SCHEMAS = sorted(path.stem for path in FILES.glob("*.zip"))


def unpack(schema: str, folder: Path) -> tuple[Path, dict]:
    """The workspace's folder, and what the code that made it said is in it."""
    with zipfile.ZipFile(FILES / f"{schema}.zip") as packed:
        packed.extractall(folder)
    return folder / "workspace", json.loads((folder / "expected.json").read_text())
