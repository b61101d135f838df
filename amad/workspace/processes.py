"""Who holds a job: machines and processes by names that no setting of the clock, reboot or reused number can confuse."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def this_host() -> str:
    """Name of this machine since its last start, together with its space of process ids (a container has its own)."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8])
    return " ".join(parts)[:255]


def was_restarted(host: str | None) -> bool:
    """Whether a holder's machine is this one before it was started anew, so that the holder has certainly ended."""
    if not host:
        return False
    then, now = host.split(" "), this_host().split(" ")
    return len(then) == len(now) == 3 and then[0] == now[0] and then[2] != now[2]


def born(pid: int) -> float | None:
    """When a process began, in seconds since the machine did (on Linux), or since 1970; None where it is gone.

    The kernel counts from its own start: setting the clock does not change it.
    """
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        return int(text[text.rindex(")") + 2 :].split()[19]) / os.sysconf("SC_CLK_TCK")
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def gone(host: str | None, pid: int | None, began: float | None) -> bool:
    """Whether a process has certainly ended: not there, a zombie, its number another's, or its machine restarted."""
    if was_restarted(host):
        return True
    if pid is None or host != this_host():
        return False
    import psutil

    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    now = born(pid)
    return now is None or (began is not None and abs(now - began) > 2)


def lives_here(host: str | None, pid: int | None, began: float | None) -> bool:
    """Whether a process is one of this machine and certainly still there."""
    return pid is not None and host == this_host() and not gone(host, pid, began)


def end(pid: int, began: float | None, seconds: float = 5.0) -> bool:
    """Ends a process of this machine at once, with those it started where it leads a group of its own.

    Returns whether it is gone afterwards; a process that began at another time than `began` is left alone.
    """
    host = this_host()
    if gone(host, pid, began):
        return True
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix" and os.getpgid(pid) == pid and pid != os.getpgrp():
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    until = time.monotonic() + seconds
    while not gone(host, pid, began):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def peak_bytes() -> float | None:
    """The most memory this process has held; None where the system does not say.

    What getrusage tells on Linux is also the memory of whoever started the process, so the kernel's own record comes first.
    """
    with suppress(OSError, ValueError, IndexError):
        text = Path("/proc/self/status").read_text("ascii", errors="replace")
        return float(text.split("VmHWM:", 1)[1].split()[0]) * 1024
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
