"""Series: reading files, what was found in them, scaling, windows, and columns on disk that any zoom reads quickly."""

from amad.series.columns import Columns
from amad.series.preparing import prepare
from amad.series.reader import read, read_labels
from amad.series.scaling import Scaler
from amad.series.series import Finding, Report, Series, Span
from amad.series.storage import open_series, write_series
from amad.series.windows import parse_part, window_starts, window_view

__all__ = [
    "Columns",
    "Finding",
    "Report",
    "Scaler",
    "Series",
    "Span",
    "open_series",
    "parse_part",
    "prepare",
    "read",
    "read_labels",
    "window_starts",
    "window_view",
    "write_series",
]
