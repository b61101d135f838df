"""Evaluation: metrics of scores against labels, and baselines under the same contract, and their comparison."""

from amad.evaluation.baselines import DETECTORS, make_detector, with_recipe
from amad.evaluation.baselines.run import fit_baseline, load_run
from amad.evaluation.compare import Comparison, compare
from amad.evaluation.metrics import evaluate
from amad.evaluation.ranges import point_adjust
from amad.evaluation.volume import vus

__all__ = [
    "DETECTORS",
    "Comparison",
    "compare",
    "evaluate",
    "fit_baseline",
    "load_run",
    "make_detector",
    "point_adjust",
    "vus",
    "with_recipe",
]
