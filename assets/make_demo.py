"""Trains the bundled run of every demo series and writes it as run.zip: `python -m assets.make_demo` (or `make demo`).

With --baselines it fits the quick baselines of every labelled demo instead, into <demo>/baselines/NAME.zip.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from amad.config import make_config
from amad.jobs.work import work
from amad.series import read
from amad.workspace import Workspace
from amad.workspace.tables import RunRow

DEMOS = Path(__file__).parent / "demo"
# Those whose arrays are small; the others are fitted on the page.
BASELINES = ("random", "zscore", "pca", "delay-pca", "ridge", "iforest", "kmeans")


def main() -> None:
    """One run a demo, trained on the part that its meta.json names, with its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="balanced", help="settings to train with")
    parser.add_argument("--only", nargs="*", default=[], help="names of demos; all when left out")
    parser.add_argument("--baselines", action="store_true", help="fits the baselines instead")
    options = parser.parse_args()
    for file in sorted(DEMOS.glob("*/meta.json")):
        if not options.only or file.parent.name in options.only:
            if options.baselines:
                baselines(file.parent)
            else:
                make(file.parent, options.preset)


def baselines(folder: Path) -> None:
    """Fits each baseline on one labelled demo, and exports it with its score alone: shares and expected values are large."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    given = read(folder / "series.parquet", name=meta["title"])
    if given.labels is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.open(scratch)
        series = workspace.add_series(given)
        (folder / "baselines").mkdir(exist_ok=True)
        for name in BASELINES:
            config = make_config("balanced", {"detector": name})
            run = workspace.create_run(
                series.id, name=f"{name} demo", preset=name, config=config, part=tuple(meta["part"]), held=True
            )
            finish(workspace, run.id, folder.name)
            found = workspace.scores_columns(run.id, series.id)
            if found is None:
                raise SystemExit(f"{folder.name}: {name} has no scores")
            score = np.asarray(found.values[found.names.index("score")])
            workspace.write_score_columns(run.id, series.id, ("score",), score[:, None])
            target = workspace.export_run(run.id, Path(scratch) / f"{name}.zip", scores=True)
            shutil.copyfile(target, folder / "baselines" / f"{name}.zip")
            print(f"{folder.name}: {name}, {target.stat().st_size / 1e3:.0f} kB")
        workspace.close()


def finish(workspace: Workspace, run_id: str, what: str) -> None:
    """Works on a run to its end."""
    claim = workspace.states.claim(RunRow, run_id)
    if claim is None:
        raise SystemExit(f"{what}: the run could not be started")
    outcome = work(workspace, claim)
    if outcome.state != "done":
        raise SystemExit(f"{what}: {outcome.state}: {outcome.message}")


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
        finish(workspace, run.id, folder.name)
        target = workspace.export_run(run.id, Path(scratch) / "run.zip", scores=True)
        shutil.copyfile(target, folder / "run.zip")
        workspace.close()
    size = (folder / "run.zip").stat().st_size / 1e6
    print(f"{folder.name}: {preset}, {time.monotonic() - begun:.0f} s, run.zip {size:.1f} MB")


if __name__ == "__main__":
    main()
