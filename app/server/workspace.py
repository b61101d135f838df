"""The workspace the server reads: its own, by AMAD_WORKSPACE; never one a request names."""

import os
from functools import lru_cache
from typing import Any


def current() -> Any:
    """The workspace of this process (opened once for each value of AMAD_WORKSPACE and AMAD_DATABASE_URL)."""
    return _opened(os.environ.get("AMAD_WORKSPACE", ""), os.environ.get("AMAD_DATABASE_URL", ""))


@lru_cache(maxsize=4)
def _opened(_path: str, _database: str) -> Any:
    from amad.workspace import Workspace

    return Workspace.open()
