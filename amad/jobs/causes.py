"""Why a job failed: one sentence on the cause, one on what to change; and room on a full disk to write that down."""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from pathlib import Path

from amad import logs
from amad.errors import AmadError
from amad.workspace.records import clean_text

RESERVE = ".reserve"
RESERVE_BYTES = 1 << 18
_NO_MEMORY = ("can't allocate memory", "not enough memory", "cannot allocate memory", "out of memory", "bad_alloc")
_SMALLER = "Start a run with a smaller batch_size, window or d_model"


def explain(error: BaseException, folder: Path) -> str:
    """One message for whatever stopped the work on the run in a folder."""
    if isinstance(error, AmadError):
        return str(error)
    if out_of_memory(error):
        if "CUDA" in str(error) or "MPS" in str(error):
            return f"The memory of the GPU did not suffice. {_SMALLER}, with precision bf16, or on another device."
        return f"The memory of this machine did not suffice. {_SMALLER}, or raise AMAD_MEMORY where it is set."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full. Make room and resume."
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        where = error.filename or folder
        return f"{where} cannot be written ({error.strerror}). Give AMAD the right to write there, and resume."
    text = clean_text(str(error), 300).rstrip(".")
    return f"{type(error).__name__}: {text}. The whole trace is in {folder / 'log.txt'}."


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory, of the host or of a GPU, did not suffice."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def log_trace(folder: Path, error: BaseException) -> None:
    """Adds an error's trace to log.txt of its run, where that can still be written."""
    with suppress(OSError), (folder / "log.txt").open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(logs.line("failed", logger=__name__, level=logging.ERROR, error=error) + "\n")


def keep_reserve(folder: Path) -> None:
    """Sets a little of the disk aside in the folder of a run, so that a full disk can still be told."""
    with suppress(OSError):
        path = folder / RESERVE
        if not path.exists() or path.stat().st_size < RESERVE_BYTES:
            path.write_bytes(bytes(RESERVE_BYTES))


def free_reserve(folder: Path) -> None:
    """Gives it back."""
    with suppress(OSError):
        (folder / RESERVE).unlink(missing_ok=True)
