"""Evaluation: metrics of scores against labels, and plain baselines under the same contract."""

from amad.evaluation.baselines import DETECTORS, make_detector
from amad.evaluation.metrics import evaluate
from amad.evaluation.ranges import point_adjust
from amad.evaluation.volume import vus

__all__ = ["DETECTORS", "evaluate", "make_detector", "point_adjust", "vus"]
