"""The workspace: what AMAD remembers between calls (series, runs, scores), in a database and a folder."""

from amad.workspace import label_tables as _label_tables  # noqa: F401  its tables belong to the schema
from amad.workspace.records import RunRecord, ScoringRecord, SeriesRecord
from amad.workspace.store import Workspace

__all__ = ["RunRecord", "ScoringRecord", "SeriesRecord", "Workspace"]
