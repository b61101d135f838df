"""Label files: what labels look like in CSV, JSON, Label Studio and columns, and how such files are read."""

from amad.workspace.label_formats.drafts import Draft, Incoming, Written
from amad.workspace.label_formats.reading import read_labels
from amad.workspace.label_formats.writing import FORMATS, write_labels

__all__ = ["FORMATS", "Draft", "Incoming", "Written", "read_labels", "write_labels"]
