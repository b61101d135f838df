"""What runs on a Ray cluster: processes that hold the files of one run, train it together, and score series with it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import amad
from amad.config import AMAD, Config
from amad.jobs.relay import Change, Mirror, unpack
from amad.progress import Progress
from amad.series import Series
from amad.workspace import processes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amad.detection import Scores
    from amad.evaluation.baselines.run import Run

PREFIX = "amad-member-"


@dataclass(frozen=True)
class About:
    """A process of the cluster: its machine's address, its number there, and the version of AMAD it has."""

    address: str
    pid: int
    version: str


@dataclass(frozen=True)
class News:
    """What there is to tell since the last time: how far the work is, and which files have changed."""

    progress: Progress | None
    changes: list[Change]


class Member:
    """One process of a team, with `threads` threads and, where `cuda` is set, the GPU that Ray gave it.

    Its methods run beside each other: `news` and `stop` answer while `fit` works.
    """

    def __init__(self, threads: int, cuda: bool) -> None:
        self.threads = threads
        if not cuda:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._mirror, self._asked = Mirror(self.folder), threading.Event()
        self._progress: Progress | None = None
        self._store: Any = None
        self._run: Run | None = None

    def about(self) -> About:
        """Where and what this process is."""
        import ray

        return About(ray.util.get_node_ip_address(), os.getpid(), amad.__version__)

    def take(self, files: dict[str, bytes]) -> None:
        """Takes the files of the run as they are in the workspace."""
        unpack(self.folder, files)
        self._mirror, self._run = Mirror(self.folder), None
        self._mirror.changes()  # known there already

    def open(self, size: int) -> tuple[str, int]:
        """Opens the place where a team of `size` meets; returns its address."""
        from torch.distributed import TCPStore

        host = self.about().address
        self._store = TCPStore(host, 0, size, is_master=True, wait_for_workers=False)
        return host, self._store.port

    def fit(
        self, series: Series, config: Config, part: tuple[int, int], preset: str, checkpoint_seconds: float,
        rank: int, size: int, meeting: tuple[str, int],
    ) -> bool:  # fmt: skip
        """Fits the run as member `rank` of a team; False when it was stopped."""
        self._asked.clear()
        if config.detector != AMAD:
            from amad.evaluation.baselines.run import fit_baseline

            fit_baseline(self.folder, series, config, part=part, preset=preset, on_progress=self._note)
            return True
        import torch
        from torch import distributed

        from amad.detection import fit_run
        from amad.training import resolve_device
        from amad.training.team import Distributed, Team

        torch.set_num_threads(self.threads)
        if size > 1 and resolve_device(config.device) == "mps":
            config = config.model_copy(update={"device": "cpu"})  # gloo does not know that device
        team = Team()
        if size > 1:
            self._choose_network()
            store = self._store or distributed.TCPStore(*meeting, size, is_master=False)
            backend = "nccl" if resolve_device(config.device).startswith("cuda") else "gloo"
            distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
            team = Distributed()
        done = fit_run(
            self.folder, series, config, part=part, resume=True, on_progress=self._note, should_stop=self._asked.is_set,
            checkpoint_seconds=checkpoint_seconds, team=team,
        )  # fmt: skip
        if size > 1:
            distributed.destroy_process_group()
        return done

    def stop(self) -> None:
        """Has `fit` save and end at its next optimiser step."""
        self._asked.set()

    def news(self) -> News:
        """What has come about since the last call."""
        progress, self._progress = self._progress, None
        return News(progress, self._mirror.changes())

    def blocks(self, values: NDArray[Any], first: int) -> Iterator[Scores]:
        """Scores of values (T, C) by the run, block by block, from row `first` on."""
        if self._run is None:
            from amad.evaluation.baselines.run import load_run

            self._run = load_run(self.folder)
        import torch

        torch.set_num_threads(self.threads)
        yield from self._run.blocks(values, None, first)

    def peak(self) -> dict[str, float]:
        """The most memory this process has held, in bytes, and of its GPU."""
        from amad.jobs.work import peaks

        return peaks()

    def close(self) -> None:
        """Removes the files of the run from this machine."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, progress: Progress) -> None:
        self._progress = progress

    def _choose_network(self) -> None:
        """Has torch.distributed talk over the network that Ray does, unless told otherwise."""
        import psutil

        address = self.about().address
        for name, found in psutil.net_if_addrs().items():
            if any(entry.address == address for entry in found):
                os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
                os.environ.setdefault("NCCL_SOCKET_IFNAME", name)


def sweep() -> None:
    """Removes what members that were killed left on this machine."""
    if os.name != "posix":
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = path.name[len(PREFIX) :].split("-")[0]
        with suppress(OSError):
            if number.isdecimal() and path.stat().st_uid == os.getuid() and processes.born(int(number)) is None:
                shutil.rmtree(path, ignore_errors=True)
