"""Bad input on the command line: one clear message, exit code 2, and nothing half-written."""

import json
import resource
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bad_files import REFUSED, TOLD, Refused, Told

from amad.cli import main
from amad.series import read
from amad.workspace import Workspace, database

Call = Callable[..., tuple[int, str]]
TINY = ["--preset", "quick", "--device", "cpu"]
for setting in (
    "window=16", "stride=8", "score_stride=16", "d_model=8", "heads=2", "blocks=1", "banks=2", "feed_forward=16", "max_steps=3",
    "batch_size=16", "linear_rows=4", "linear_components=2", "smoothing=5",
):  # fmt: skip
    TINY += ["--set", setting]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of a test."""
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.delenv("AMAD_DEBUG", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)  # tests share the cores
    return tmp_path / "ws"


@pytest.fixture
def amad(place: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command line in this process; gives its exit code and what it said."""

    def run(*call: object, workspace: Path | None = None) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*map(str, call), "--workspace", str(workspace or place)])
        return code, capsys.readouterr().err

    return run


def leftovers(place: Path) -> list[str]:
    """What stands in the folders of a workspace into which nothing was taken."""
    return [
        str(path.relative_to(place))
        for name in ("series", "runs", "scores", "tmp")
        for path in (place / name).iterdir()
    ]


def records(place: Path) -> tuple[int, int]:
    opened = Workspace.open(place)
    try:
        return len(opened.series()), len(opened.runs())
    finally:
        opened.close()


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.file)
def test_bad_files_are_refused_in_one_message(case: Refused, amad: Call, place: Path, tmp_path: Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content())
    code, said = amad("fit", path, *TINY)
    assert code == 2
    progress, _, said = said.partition("amad: ")
    assert said
    assert all(line.startswith("reading ") for line in progress.splitlines())  # told where a machine is slow
    # a short file is known to be short only once it is stored
    assert path.name in said or path.stem in said
    for part in case.says:
        assert part in said
    assert "Traceback" not in said
    if "window" not in case.says[0]:
        assert records(place) == (0, 0)
        assert leftovers(place) == []
    assert records(place)[1] == 0


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.file)
def test_odd_files_are_read_and_told(case: Told, tmp_path: Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content())
    series = read(path)
    assert not np.isinf(series.values).any()
    if case.channels is not None:
        assert series.channels == case.channels
    if case.kind is None:
        return
    found = series.report.of(case.kind)
    assert found is not None
    assert case.says in " ".join((found.message, found.action, *found.alternatives))


def test_more_words_for_missing_are_given_by_the_caller(amad: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1.5,2\n2.5,void\n3.5,4\n3.5,5\n" * 3)
    assert 'row 3, column "b": "void" is not a number.' in amad("fit", path, *TINY)[1]
    assert "has 12 rows, fewer than one window" in amad("fit", path, *TINY, "--missing", "void")[1]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("widnow=16", 'There is no setting "widnow"'),
        ("window=-3", "window"),
        ("batch_size=many", "batch_size"),
        ("window", '"window" is not a setting. Write --set name=value'),
    ],
)
def test_unknown_settings_and_values_out_of_range(setting: str, says: str, amad: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(TOLD[0].content())
    code, said = amad("fit", path, "--set", setting)
    assert (code, says in said, "Traceback" in said) == (2, True, False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the run "still", trained on channels that never change."""
    folder = tmp_path_factory.mktemp("trained")
    patch = pytest.MonkeyPatch()
    patch.delenv("AMAD_DATABASE_URL", raising=False)
    patch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)  # tests share the cores
    path = folder / "still.csv"
    path.write_text("a,b\n" + "1.5,2.5\n" * 80)
    assert main(["fit", str(path), *TINY, "--name", "still", "--workspace", str(folder / "ws")]) == 0
    patch.undo()
    return folder / "ws"


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same workspace to be damaged, and the folder of its run."""
    shutil.copytree(trained, tmp_path / "copy")
    return tmp_path / "copy", next((tmp_path / "copy" / "runs").iterdir())


def test_a_change_scores_high_where_training_saw_none(trained: Path, amad: Call, tmp_path: Path) -> None:
    path, out = tmp_path / "later.csv", tmp_path / "scores.csv"
    path.write_text("b,a\n" + "2.5,1.5\n" * 60 + "2.5,7.5\n" * 4 + "2.5,1.5\n" * 60)
    code, said = amad("score", "still", path, "-o", out, workspace=trained)
    assert code == 0
    assert "matched by name" in said
    scores = pd.read_csv(out)["score"].to_numpy()
    assert np.isfinite(scores).all()
    assert scores[60:64].max() > 10 * max(scores[:40].max(), 0.1)


def test_a_series_with_other_channels(trained: Path, amad: Call, tmp_path: Path) -> None:
    path, out = tmp_path / "other.csv", tmp_path / "scores.csv"
    path.write_text("a,c\n" + "1.5,2.5\n2.5,3.5\n" * 20)
    code, said = amad("score", "still", path, "-o", out, workspace=trained)
    assert code == 2
    assert 'Series "other" lacks 1 of the 2 channels of run "still": "b".' in said
    assert not out.exists()


def _newer(run: Path) -> None:
    about = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(about | {"schema": 99}))


def _unknown_field(run: Path) -> None:
    about = json.loads((run / "config.json").read_text())
    about["settings"]["colour"] = "red"
    (run / "config.json").write_text(json.dumps(about))


def _cut(run: Path) -> None:
    content = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_newer, "this run has schema 99"),
        (_unknown_field, "not a configuration of a run"),
        (_cut, "model.safetensors"),
        (lambda run: (run / "model.safetensors").unlink(), "model.safetensors"),
    ],
    ids=["newer", "unknown field", "cut off", "gone"],
)
def test_runs_that_cannot_be_read(
    damage: Callable[[Path], None], says: str, copied: tuple[Path, Path], amad: Call, tmp_path: Path
) -> None:
    workspace, run = copied
    damage(run)
    path, out = tmp_path / "x.csv", tmp_path / "scores.csv"
    path.write_text("a,b\n" + "1.5,2.5\n" * 40)
    code, said = amad("score", "still", path, "-o", out, workspace=workspace)
    assert (code, says in said, "Traceback" in said) == (2, True, False)
    assert not out.exists()


def test_labels_that_do_not_fit_the_rows(amad: Call, tmp_path: Path) -> None:
    scores, labels = tmp_path / "scores.csv", tmp_path / "labels.csv"
    scores.write_text("row,score\n" + "".join(f"{row},{row % 5}\n" for row in range(50)))
    labels.write_text("label\n" + "0\n1\n" * 20)
    code, said = amad("evaluate", scores, "--label", labels)
    assert code == 2
    assert "labels.csv" in said
    assert "40" in said


def test_a_workspace_that_cannot_be_made(amad: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, said = amad("runs", workspace=tmp_path / "file" / "ws")
    assert code == 2
    assert "cannot be written (" in said
    assert "Choose another folder with --workspace or AMAD_WORKSPACE." in said


def test_a_locked_workspace_is_told(amad: Call, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert amad("runs")[0] == 0
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    path = tmp_path / "x.csv"
    path.write_bytes(TOLD[0].content())
    holder = sqlite3.connect(next(file for file in place.iterdir() if file.suffix in (".db", ".sqlite")))
    try:
        holder.execute("BEGIN IMMEDIATE")
        code, said = amad("fit", path, *TINY)
    finally:
        holder.rollback()
        holder.close()
    assert code == 2
    assert "locked" in said
    assert "Traceback" not in said
    assert records(place) == (0, 0)
    assert leftovers(place) == []


def test_a_full_disk_leaves_nothing_half_written(amad: Call, place: Path, tmp_path: Path) -> None:
    """The system refuses to let files grow: what a full disk does, for this process alone."""
    assert amad("runs")[0] == 0
    path = tmp_path / "x.npy"
    np.save(path, np.random.default_rng(0).normal(size=(200_000, 3)).astype(np.float32))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        code, said = amad("fit", path, *TINY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert "cannot be stored in the workspace" in said
    assert "Free some space" in said
    assert records(place) == (0, 0)
    assert leftovers(place) == []


def test_the_page_of_faults_is_as_generated() -> None:
    from docs.faults import page

    written = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m docs.faults"
