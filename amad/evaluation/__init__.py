"""Evaluation: metrics of scores against labels, and plain baselines under the same contract."""

from amad.evaluation.baselines import DETECTORS, make_detector
from amad.evaluation.metrics import evaluate, point_adjust

__all__ = ["DETECTORS", "evaluate", "make_detector", "point_adjust"]
