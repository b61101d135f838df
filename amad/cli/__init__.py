"""The command line: `amad COMMAND ...`. Exit code 0 done, 2 the input or the call is wrong, 1 a fault of ours."""

from __future__ import annotations

import errno
import importlib
import os
import tempfile
import traceback
from collections.abc import Sequence

from amad import limits
from amad.cli.arguments import build
from amad.cli.output import say
from amad.errors import AmadError

DEBUG = "AMAD_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; every message for the reader goes to standard error."""
    try:
        given = build().parse_args(arguments)
        limits.take_threads()
        module, function = given.handler.split(":")
        # each command's module is loaded only when it is called: `amad --help` stays quick
        return int(getattr(importlib.import_module(module), function)(given) or 0)
    except AmadError as error:
        _trace_if_asked()
        say(f"amad: {error}")
        return 2
    except KeyboardInterrupt:
        say("amad: interrupted.")
        return 130
    except BrokenPipeError:  # the reader of our output has gone (`amad runs | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG):
            _trace_if_asked()
            where = f"{error.filename}: " if error.filename else ""
            say(f"amad: {where}{error.strerror}.")
            return 2
        return _fault(error)
    except Exception as error:
        return _fault(error)


def _fault(error: Exception) -> int:
    """One line about a fault of ours; the trace goes to a file, or to the screen with AMAD_DEBUG=1."""
    if _trace_if_asked():
        return 1
    text = " ".join(str(error).split())[:300]
    where = f"{DEBUG}=1 shows the trace"
    try:
        handle, name = tempfile.mkstemp(prefix="amad-fault-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write("".join(traceback.format_exception(error)))
        where = f"the trace is in {name}; {where}"
    except OSError:
        pass
    say(f"amad: a fault of AMAD, not yours: {type(error).__name__}: {text} ({where}).")
    return 1


def _trace_if_asked() -> bool:
    if not os.environ.get(DEBUG):
        return False
    traceback.print_exc()
    return True


__all__ = ["main"]
