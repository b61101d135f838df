"""AMAD: anomaly detection in multivariate time series with AutoMasked Attention."""

import os
from typing import TYPE_CHECKING, Any

# Threads that wait sleep instead of spinning: on a busy machine spinning made a fit several times slower. OpenMP reads
# this when torch is loaded, which is later than this line; whoever set it before keeps his choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from amad.detector import AMAD

__version__ = "0.1.0"
__all__ = ["AMAD", "__version__"]


def __getattr__(name: str) -> Any:
    """Loads the detector on first use, so that `import amad` and `amad --help` stay quick."""
    if name == "AMAD":
        from amad.detector import AMAD

        return AMAD
    raise AttributeError(f"module 'amad' has no attribute {name!r}")
