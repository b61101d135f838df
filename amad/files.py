"""Files that are whole or absent: written beside, flushed, renamed."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file in one move; a reader, or a process killed meanwhile, sees the old one or the new one.

    Several may write the same file at once: one of them comes last. Errors: FileNotFoundError where the folder is missing.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:  # a full disk: half a file helps nobody, and its room may be needed to say so
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the rename itself must reach the disk
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
