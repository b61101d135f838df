"""The Ray engine, and the way to its cluster: where it is, what it has, and how a job's processes are laid out on it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from amad import limits
from amad.errors import ConfigError, JobError
from amad.jobs import local
from amad.workspace.records import clean_text

ADDRESS, WORKERS = "RAY_ADDRESS", "AMAD_RAY_WORKERS"
STARTS = 3  # tries to start a cluster on this machine
ANSWER_SECONDS = 5.0  # that a cluster has to answer; Ray itself would try for two minutes, and then end the process


class Ray(local.Local):
    """Starts one process a job here, as the local engine does; it holds the job, and has a Ray cluster do the work."""

    name = "ray"

    def __init__(self) -> None:
        """Errors: ConfigError where Ray is not installed, or the cluster is named in a way that cannot be used."""
        check()


@dataclass(frozen=True)
class Layout:
    """How many workers a job gets, the CPU cores (threads) of each, and whether each has a GPU."""

    count: int
    cores: int
    gpu: bool

    @property
    def bundle(self) -> dict[str, float]:
        """What one worker takes of the cluster."""
        return {"CPU": self.cores, **({"GPU": 1} if self.gpu else {})}


def check() -> None:
    """Errors: ConfigError for what would keep Ray from being used here at all, without asking the cluster."""
    if find_spec("ray") is None:
        raise ConfigError("AMAD_ENGINE is ray, but Ray is not installed here. Install it with: pip install .[ray]")
    wanted()
    address = os.environ.get(ADDRESS, "")
    if "://" in address:
        raise ConfigError(
            f"{ADDRESS} is {clean_text(address, 80)!r}. AMAD works from a machine of the cluster: have this one join it "
            "(ray start --address=HOST:6379) and set the variable to HOST:6379, or unset it."
        )


def wanted() -> int | None:
    """Workers of a training as AMAD_RAY_WORKERS says; None without it. Errors: ConfigError."""
    given = os.environ.get(WORKERS)
    if given is None:
        return None
    if not given.isdecimal() or not 1 <= int(given) <= 1024:
        raise ConfigError(f"{WORKERS} is {given!r}. Set it to a number of processes from 1 to 1024, or unset it.")
    return int(given)


@contextmanager
def connected() -> Iterator[None]:
    """Joins the cluster that RAY_ADDRESS names, else starts one on this machine that ends with the block.

    Errors: ConfigError as `check`; JobError for a cluster that cannot be reached.
    """
    check()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to others
    import ray

    if ray.is_initialized():  # by whoever uses AMAD from within Ray
        yield
        return
    address = os.environ.get(ADDRESS) or "local"
    options: dict[str, Any] = {}
    if address == "local":  # more workers than cores where that is asked for
        asked = (wanted() or 1) * (threads() or 1)
        cores = {"num_cpus": asked} if asked > (os.cpu_count() or 1) else {}
        options = {"include_dashboard": False, **cores}
    elif address != "auto":
        _knock(address)
    kept = signal.getsignal(signal.SIGTERM)  # Ray's own handler would end this process without saving
    with redirect_stdout(sys.stderr):  # where Ray tells of lost workers; results alone go to standard output
        try:
            _init(address, options)
        except Exception as error:  # of many kinds, a bare one among them
            known = address == "local" or "RAY_AUTH_MODE" in os.environ
            token = "" if known else " (where it asks for a token, set RAY_AUTH_MODE=token here)"
            raise unreachable(address, f"{_first(str(error))}{token}") from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, kept)
        try:
            yield
        finally:
            ray.shutdown()


def _init(address: str, options: dict[str, Any]) -> None:
    """Connects; a cluster of this machine that does not come up within Ray's 30 s, as on a busy one, is tried again."""
    import ray

    for left in range(STARTS if address == "local" else 1, 0, -1):
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", **options)
            return
        except Exception as error:
            if left == 1 or "timed out" not in str(error):
                raise


def unreachable(address: str, why: str) -> JobError:
    """What is said of a cluster that does not answer."""
    if address == "local":
        return JobError(f"No Ray cluster could be started on this machine: {why}.")
    return JobError(
        f"The Ray cluster at {clean_text(address, 80)} ({ADDRESS}) cannot be reached: {why}. Start it there with "
        f"ray start --head, have this machine join it, and resume; or unset {ADDRESS} to work on this machine."
    )


def _knock(address: str) -> None:
    """Errors: JobError where nothing listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise unreachable(address, "it is no address like HOST:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise unreachable(address, getattr(error, "strerror", None) or _first(str(error))) from error


def _first(text: str) -> str:
    return clean_text((text.splitlines() or [""])[0], 300).rstrip(".")


def layout(machines: Sequence[Mapping[str, float]], device: str, workers: int | None, threads: int | None) -> Layout:
    """How to lay a team out on machines with so many "CPU" and "GPU" each.

    As many workers as asked for, else one a GPU, else one a machine; the cores of each are shared out among them.
    Errors: JobError where they do not fit, or a GPU is asked for and there is none.
    """
    gpus = sum(int(machine.get("GPU", 0)) for machine in machines)
    if device.startswith("cuda") and not gpus:
        raise JobError(f"The settings ask for {device}, and the Ray cluster has no GPU. Start a run with device=auto.")
    gpu = bool(gpus) and (device == "auto" or device.startswith("cuda"))
    hosts = [m for m in machines if m.get("CPU", 0) >= 1 and (not gpu or m.get("GPU", 0) >= 1)]
    if not hosts:
        raise JobError("The Ray cluster has no machine with a CPU core for this job. Add one, and resume.")
    count = workers or (gpus if gpu else len(hosts))
    most = int(min(machine["CPU"] for machine in hosts)) // -(-count // len(hosts))
    for cores in [threads] if threads else range(max(1, most), 0, -1):
        found = Layout(count, cores, gpu)
        places = room(hosts, found)
        if places >= count:
            return found
    kind = f"{cores} CPU core{'s' if cores > 1 else ''}{' and a GPU' if gpu else ''}"
    raise JobError(
        f"{count} workers of {kind} each do not fit into the Ray cluster, which has room for {places}. "
        f"Set {WORKERS} or {limits.THREADS} lower, or add machines, and resume."
    )


def room(machines: Sequence[Mapping[str, float]], wanted: Layout) -> int:
    """How many workers of a layout machines have room for; no more than `count` of them are counted on one machine."""
    return sum(
        min(int(machine.get("CPU", 0)) // wanted.cores, int(machine.get("GPU", 0)) if wanted.gpu else wanted.count)
        for machine in machines
    )


def threads() -> int | None:
    """Threads of a worker as AMAD_THREADS says, else OMP_NUM_THREADS; None without either. Errors: ConfigError."""
    set_here = limits.threads()
    if set_here is not None:
        return set_here
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else None


def machines() -> list[dict[str, float]]:
    """What each machine of the cluster that we have joined offers."""
    import ray

    return [dict(node["Resources"]) for node in ray.nodes() if node["Alive"]]


def describe() -> str:
    """Ray as `amad doctor` shows it: its version and where its cluster is; without it, how to install it."""
    if find_spec("ray") is None:
        return "not installed (pip install .[ray])"
    return f"{metadata.version('ray')}, cluster: {os.environ.get(ADDRESS) or 'on this machine, when needed'}"


__all__ = ["Layout", "Ray", "check", "connected", "describe", "layout", "machines", "threads", "wanted"]
