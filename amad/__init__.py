"""AMAD: anomaly detection in multivariate time series with AutoMasked Attention."""

from typing import TYPE_CHECKING, Any

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
