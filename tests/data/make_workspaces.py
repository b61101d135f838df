"""Makes the small workspaces of earlier schemas that tests open with today's code: `python -m tests.data.make_workspaces`.

Each is made by the code of the last commit of its schema, from this repository's history, with the packages of today: a series
with times, gaps and labels, a trained and scored run, a scoring of a second series, and what people said about it, as far as
that schema has tables for it. `expected.json` beside the workspace says what is in it, told by the code that made it.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# schema: the last commit whose newest migration it is
COMMITS = {"0001": "7906ff9", "0002": "d8fc750", "0003": "5222592"}
MAKE = """
import hashlib, json, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
import pandas as pd
from amad.config import make_config
from amad.jobs.work import work
from amad.series import Report, Series
from amad.workspace import Workspace
from amad.workspace.tables import RunRow, ScoringRow

SETTINGS = {
    "window": 16, "stride": 8, "score_stride": 16, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 12, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 5, "device": "cpu",
}

def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f4").tobytes()).hexdigest()

def make(name, rows, seed):
    values = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    values[40:44, 1] = np.nan
    time = pd.date_range("2024-03-30 22:00", periods=rows, freq="5min", tz="Europe/Berlin")
    labels = (np.arange(rows) // 10 == 7).astype(np.int8)
    return Series(name, values, ("flow", "heat", "noise"), time, labels, Report(rows))

workspace = Workspace.open(sys.argv[1])
pump = workspace.add_series(make("pump", 300, 1), source="pump.csv")
tank = workspace.add_series(make("tank", 280, 2), source="tank.csv")
workspace.set_part(pump.id, (0, 200))
run = workspace.create_run(pump.id, name="night", preset="quick", config=make_config("quick", SETTINGS), part=(0, 200))
assert work(workspace, workspace.states.claim(RunRow, run.id)).state == "done"
scoring = workspace.create_scoring(run.id, tank.id)
assert work(workspace, workspace.states.claim(ScoringRow, scoring.id)).state == "done"
waiting = workspace.create_run(tank.id, name="waiting", preset="quick", config=make_config("quick", SETTINGS))

labels = []
try:
    from amad.workspace.incidents import Incidents
except ImportError:
    try:
        from amad.workspace.label_tables import HistoryRow, IncidentRow, TypeRow
    except ImportError:
        Incidents = None
    else:  # the tables were there before the code that fills them
        Incidents = None
        now = datetime(2026, 11, 26, 12, tzinfo=UTC)
        who = {"author": "Ada", "created": now, "changed": now, "changed_by": "Ada", "version": 1, "deleted": False}
        with workspace.database.writing() as session:
            types = {row.name: row.id for row in session.query(TypeRow)}
            for number, (start, end, kind, note) in enumerate(((70, 80, "Spike", "pump ran dry"), (120, 130, "Drift", ""))):
                session.add(IncidentRow(
                    id=f"aa{number}", series_id=pump.id, series_rows=300, start_row=start, end_row=end, type_id=types[kind],
                    channels=["flow"], status="open", note=note, layer="", **who,
                ))
                labels.append([start, end, kind, note, ["flow"], "Ada"])
else:
    desk = Incidents(workspace, pump.id, "Ada")
    desk.add(70, 80, "Spike", note="pump ran dry", channels=["flow"])
    desk.add(120, 130, "Drift", channels=["flow"])
    (first, second) = desk.all()
    desk.comment(first.id, "seen on site")
    desk.add_window("cleaning", rows=(200, 210))
    desk.add_rule("shorter", value=2)
    labels = [[one.start_row, one.end_row, one.type, one.note, list(one.channels), one.author] for one in desk.all()]

def scores(series):
    found = workspace.scores_columns(run.id, series.id)
    return {"names": list(found.names), "values": digest(found.values)}

expected = {
    "series": {
        one.name: {"id": one.id, "rows": one.rows, "part": one.part, "values": digest(workspace.open_series(one.id).values),
                   "times": workspace.open_series(one.id).time.asi8[[0, -1]].tolist()}
        for one in (pump, workspace.find_series(pump.id), tank)
    },
    "runs": {one.name: {"id": one.id, "state": one.state} for one in workspace.runs()},
    "scores": {"pump": scores(pump), "tank": scores(tank)},
    "labels": labels,
}
Path(sys.argv[2]).write_text(json.dumps(expected, indent=1, sort_keys=True))
workspace.close()
"""


def make(schema: str, commit: str, target: Path) -> None:
    """Writes one workspace, made by the code of a commit, as a zip file."""
    with tempfile.TemporaryDirectory(prefix="amad-old-") as name:
        folder = Path(name)
        packed = subprocess.run(["git", "archive", commit, "amad"], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder / "code", filter="data")
        environment = {**os.environ, "PYTHONPATH": str(folder / "code"), "OMP_NUM_THREADS": "1"}
        environment.pop("AMAD_DATABASE_URL", None)
        command = [sys.executable, "-c", MAKE, str(folder / "workspace"), str(folder / "expected.json")]
        subprocess.run(command, check=True, env=environment, cwd=folder)
        left_out = {"tmp", "incoming", "secret"}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            out.writestr("made_from.txt", f"schema {schema}, commit {commit}\n")
            out.write(folder / "expected.json", "expected.json")
            for path in sorted((folder / "workspace").rglob("*")):
                inside = path.relative_to(folder / "workspace")
                if path.is_file() and inside.parts[0] not in left_out and path.name != ".reserve":
                    out.write(path, f"workspace/{inside.as_posix()}")


if __name__ == "__main__":
    for schema, commit in COMMITS.items():
        file = HERE / "workspaces" / f"{schema}.zip"
        file.parent.mkdir(exist_ok=True)
        make(schema, commit, file)
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e3:.0f} kB")
