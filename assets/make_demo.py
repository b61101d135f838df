"""Trains the bundled run of every demo series and writes it as run.zip: `python -m assets.make_demo` (or `make demo`)."""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from amad.config import make_config
from amad.jobs.work import work
from amad.series import read
from amad.workspace import Workspace
from amad.workspace.tables import RunRow

DEMOS = Path(__file__).parent / "demo"


def main() -> None:
    """One run a demo, trained on the part that its meta.json names, with its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="balanced", help="settings to train with")
    parser.add_argument("--only", nargs="*", default=[], help="names of demos; all when left out")
    options = parser.parse_args()
    for file in sorted(DEMOS.glob("*/meta.json")):
        if not options.only or file.parent.name in options.only:
            make(file.parent, options.preset)


def make(folder: Path, preset: str) -> None:
    """Trains, scores and exports one demo's run."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.open(scratch)
        series = workspace.add_series(read(folder / "series.parquet", name=meta["title"]))
        config = make_config(preset, {"device": "cpu"})
        run = workspace.create_run(
            series.id, name=f"{preset} demo", preset=preset, config=config, part=tuple(meta["part"]), held=True
        )
        claim = workspace.states.claim(RunRow, run.id)
        if claim is None:
            raise SystemExit(f"{folder.name}: the run could not be started")
        outcome = work(workspace, claim)
        if outcome.state != "done":
            raise SystemExit(f"{folder.name}: {outcome.state}: {outcome.message}")
        target = workspace.export_run(run.id, Path(scratch) / "run.zip", scores=True)
        shutil.copyfile(target, folder / "run.zip")
        workspace.close()
    size = (folder / "run.zip").stat().st_size / 1e6
    print(f"{folder.name}: {preset}, {time.monotonic() - begun:.0f} s, run.zip {size:.1f} MB")


if __name__ == "__main__":
    main()
