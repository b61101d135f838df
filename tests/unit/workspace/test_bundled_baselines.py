"""The finished example of the page Compare: baselines that lie beside the bundled series."""

import numpy as np
import pytest

from amad.evaluation.baselines.run import load_run
from amad.workspace import Workspace
from amad.workspace.demos import add_baselines, missing_baselines

NAMES = {"random", "zscore", "pca", "delay-pca", "ridge", "iforest", "kmeans"}


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path / "workspace")
    yield opened
    opened.close()


def test_they_come_once_with_scores_and_cost_and_can_score_again(workspace):
    record = workspace.add_demo("river-blacksmith-fork-2019")
    assert {file.stem for file in missing_baselines(workspace, record)} == NAMES
    taken = add_baselines(workspace, record)
    assert {run.preset for run in taken} == NAMES
    assert missing_baselines(workspace, record) == []
    assert add_baselines(workspace, record) == []
    for run in taken:
        assert (run.series_id, run.state, run.part) == (record.id, "done", record.part)
        assert run.cost["fit_seconds"] > 0
        assert run.cost["scored_rows"] == record.rows
        assert workspace.scores_columns(run.id, record.id).names == ("score",)
    run = next(run for run in taken if run.preset == "ridge")
    found = load_run(workspace.run_folder(run.id)).score(workspace.open_series(record.id).values)
    stored = workspace.scores_columns(run.id, record.id).values[0]
    np.testing.assert_allclose(found.score, stored, rtol=1e-3, atol=1e-3)


def test_a_series_of_the_user_has_none(workspace):
    from amad.series import Series

    record = workspace.add_series(Series("mine", np.zeros((10, 1), np.float32), ("a",)), source="demo:../..")
    assert missing_baselines(workspace, record) == []
