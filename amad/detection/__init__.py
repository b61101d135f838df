"""Detection: fitting and calibrating a run, scoring whole series, thresholds and events."""

from typing import TYPE_CHECKING, Any

from amad.detection.events import Event, find_events, severity
from amad.detection.levels import run_threshold, run_views, training_evidence
from amad.detection.scores import Scores
from amad.detection.thresholds import best_f1, threshold_of

if TYPE_CHECKING:
    from amad.detection.calibrating import calibrate, fit_run
    from amad.detection.detector import Detector

__all__ = [
    "Detector",
    "Event",
    "Scores",
    "best_f1",
    "calibrate",
    "find_events",
    "fit_run",
    "run_threshold",
    "run_views",
    "severity",
    "threshold_of",
    "training_evidence",
]


def __getattr__(name: str) -> Any:
    """Loads what needs torch on first use, so that events and thresholds stay quick to import."""
    if name == "Detector":
        from amad.detection.detector import Detector

        return Detector
    if name in ("calibrate", "fit_run"):
        from amad.detection import calibrating

        return getattr(calibrating, name)
    raise AttributeError(f"module 'amad.detection' has no attribute {name!r}")
