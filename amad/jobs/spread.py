"""A job on a Ray cluster, seen from the process that holds it: a team of members is gathered, watched, and replaced when lost."""

from __future__ import annotations

import json
import logging
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

import amad
from amad import logs
from amad.config import AMAD
from amad.errors import JobError
from amad.jobs import cluster, relay
from amad.jobs.heart import Heart, Stopped
from amad.jobs.members import Member
from amad.progress import OnProgress, Progress
from amad.series import Series
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    from amad.config import Config
    from amad.detection import Scores

LOOK_SECONDS = 0.3  # between two looks at how far the members are
MOST_LOST = 3  # members lost in a row, without a new checkpoint in between, before the job fails
FIT_SECONDS = 5.0  # between two looks at whether what is waited for still fits into the cluster
SILENT_SECONDS = 15.0  # after which a member that says nothing, while another failed, counts as lost
AHEAD = 2  # blocks of scores that wait to be fetched
_log = logging.getLogger("amad.jobs")


class _Lost(Exception):
    """A member of the team is gone."""


class Cluster:
    """The cluster while a job is worked on. What members write reaches the workspace through this process alone."""

    def __init__(self, heart: Heart, log: Path) -> None:
        self.heart, self.log = heart, log
        self._open = ExitStack()
        self._layout: cluster.Layout | None = None
        self._group: Any = None
        self._members: list[Any] = []
        self._free: queue.Queue[int] = queue.Queue()  # members that score nothing now
        self._files: Any = None  # of the run, for members that come new
        self._names: dict[str, str] = {}  # of members, by what Ray knows them by
        self._peak: dict[str, float] = {}

    def __enter__(self) -> Cluster:
        self._open.enter_context(cluster.connected())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._dismiss()
        finally:
            self._open.close()

    @property
    def places(self) -> int:
        """How many series are scored at a time: one a member."""
        return len(self._members) or 1

    def device(self, config: Config) -> str:
        """The device that a setting means on the cluster. Errors: JobError for one that it lacks."""
        return "cuda" if self._plan(config, None).gpu else "cpu"

    def fit(
        self,
        folder: Path,
        series: Series,
        config: Config,
        part: tuple[int, int],
        preset: str,
        checkpoint_seconds: float,
    ) -> bool:
        """Fits and calibrates a run from wherever it stood; False when it was stopped.

        A lost member is replaced, and the team goes on from the last checkpoint. Errors: those of the work; JobError
        where members are lost again and again.
        """
        import ray

        wanted = 1 if config.detector != AMAD else cluster.wanted()
        self._layout = self._plan(config, wanted)
        if config.device.startswith("cuda"):
            config = config.model_copy(update={"device": "cuda"})  # a member sees the one GPU that is its own
        learned = Series(series.name, np.array(series.values[: part[1]], dtype=np.float32), series.channels)
        shared = ray.put(learned)
        del learned
        lost, reached = 0, -1
        while True:
            try:
                with self._plainly():
                    done = self._fit(folder, (shared, config, part, preset, checkpoint_seconds))
                    if done:
                        self._peak = self._wait([self._members[0].peak.remote()])[0]
                        self._share(folder)
                return done
            except _Lost as gone:
                step = _saved_step(folder)
                lost, reached = (lost + 1 if step <= reached else 1), max(step, reached)
                self._note(f"{gone}: the team starts anew from optimiser step {max(0, step)}")
                self._dismiss()
                self._layout = self._plan(config, wanted)  # the cluster may have become smaller, or larger
                if lost >= MOST_LOST:
                    raise JobError(
                        f"{MOST_LOST} workers of the Ray cluster were lost without any progress ({gone}). Look there "
                        "for what ends them, memory first, and resume; the last checkpoint stays."
                    ) from gone

    def load(self, folder: Path, device: str = "auto") -> Remote:
        """The finished run, on the members that there are, or on one."""
        from amad.config import make_config

        found = json.loads((folder / "config.json").read_text("utf-8"))
        config = make_config("balanced", {**found["settings"], "channels": list(found["channels"])})
        if not self._members:
            self._layout = self._plan(config, 1)
            try:
                with self._plainly():
                    self._gather(folder)
            except _Lost as gone:
                raise JobError(f"{gone}. Try again when the Ray cluster is whole.") from gone
        return Remote(self, tuple(found["channels"]), self.device(config) if device == "auto" else device)

    def peak(self) -> dict[str, float]:
        """The most bytes that the first member held."""
        return self._peak

    def blocks(self, values: Any, first: int = 0) -> Iterator[Scores]:
        """Scores of the rows from `first` by whichever member is free; where it is lost, a new one goes on after the last block."""
        import ray

        shared, done, lost = ray.put(np.array(values[: len(values)], dtype=np.float32)), first, 0
        place = self._free.get()
        try:
            while True:
                try:
                    with self._plainly():
                        if self._members[place] is None:
                            self._members[place] = self._start([place])[0]
                        options = {"num_returns": "streaming", "_generator_backpressure_num_objects": AHEAD}
                        for found in self._members[place].blocks.options(**options).remote(shared, done):
                            block = self._wait([found])[0]
                            done, lost = done + block.rows, 0
                            yield block
                    return
                except _Lost as gone:
                    lost += 1
                    self._note(f"{gone}: a new one scores on from row {done:,}")
                    self._end(place)
                    if lost >= MOST_LOST:
                        raise JobError(
                            f"{MOST_LOST} workers of the Ray cluster were lost while scoring. {gone}"
                        ) from gone
        except BaseException:
            self._end(place)  # it may still be busy with blocks that nobody wants
            raise
        finally:
            self._free.put(place)

    def _fit(self, folder: Path, work: tuple[Any, ...]) -> bool:
        """One attempt with one team."""
        import ray

        self._gather(folder)
        leader, size = self._members[0], len(self._members)
        meeting = self._wait([leader.open.remote(size)])[0] if size > 1 else ("", 0)
        first, *others = [
            member.fit.remote(*work, rank=rank, size=size, meeting=meeting) for rank, member in enumerate(self._members)
        ]
        waiting, asked = [first, *others], False
        while first in waiting:
            ready, waiting = ray.wait(waiting, num_returns=1, timeout=LOOK_SECONDS)
            self._check(ready)
            self._receive(folder, leader)
            if self.heart.should_stop() and not asked:
                asked = True
                leader.stop.remote()
        self._receive(folder, leader)
        return bool(ray.get(first))

    def _receive(self, folder: Path, leader: Any) -> None:
        """Takes the news of the first member, files first."""
        import ray

        news = ray.get(leader.news.remote())
        if self.heart.lost.is_set():  # the run belongs to somebody else now: nothing more may be written
            raise Stopped
        relay.apply(folder, news.changes)
        if news.progress is not None:
            self.heart.progress(news.progress)

    def _check(self, ready: Sequence[Any]) -> None:
        """Raises what ended members; where others only lost sight of one that is gone, that it is gone."""
        import ray

        for reference in ready:
            try:
                ray.get(reference)
            except ray.exceptions.RayTaskError:
                answers = [member.about.remote() for member in self._members]
                there, silent = ray.wait(answers, num_returns=len(answers), timeout=SILENT_SECONDS)
                ray.get(there)  # raises RayActorError for one that is gone
                if silent:
                    raise _Lost("A worker of the Ray cluster does not answer") from None
                raise

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """Errors of Ray as ours: what the work raised, a lost member as such, and the rest as JobError."""
        import ray

        try:
            yield
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from error
        except ray.exceptions.RayActorError as error:
            if "No module named 'amad" in str(error):
                raise JobError(
                    "A machine of the Ray cluster lacks AMAD. Install the same version on all of them."
                ) from error
            if error.actor_init_failed:
                raise JobError(f"A worker of the Ray cluster could not start: {_last(str(error))}.") from error
            who = self._names.get(error.actor_id or "", "while it started")
            raise _Lost(f"A worker of the Ray cluster was lost ({who})") from error
        except ray.exceptions.RayError as error:
            raise JobError(
                f"The Ray cluster failed ({type(error).__name__}: {_last(str(error))}). What was saved stays; resume "
                "when the cluster is there again."
            ) from error

    def _plan(self, config: Config, workers: int | None) -> cluster.Layout:
        device = config.device if config.detector == AMAD else "cpu"
        return cluster.layout(cluster.machines(), device, workers, cluster.threads())

    def _gather(self, folder: Path) -> None:
        """Brings up the team, with the files of the run as they are now."""
        import ray
        from ray.util.placement_group import placement_group

        assert self._layout is not None
        self._group = placement_group([self._layout.bundle] * self._layout.count, strategy="PACK")
        self._wait([self._group.ready()])  # all at once, or two jobs could wait for each other's rest
        self._files = ray.put(relay.pack(folder))
        self._members = self._start(range(self._layout.count))
        self._free = queue.Queue()
        for place in range(len(self._members)):
            self._free.put(place)

    def _start(self, places: Sequence[int]) -> list[Any]:
        """New members at places of the group. Errors: JobError for machines without this version of AMAD."""
        import ray
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        assert self._layout is not None
        found = []
        for place in places:
            where = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=place)
            options = {"num_cpus": self._layout.cores, "num_gpus": int(self._layout.gpu), "max_concurrency": 4}
            made = ray.remote(Member).options(scheduling_strategy=where, **options)
            found.append(made.remote(self._layout.cores, self._layout.gpu))
        about = self._wait([member.about.remote() for member in found])
        self._wait([member.take.remote(self._files) for member in found])
        for other in {one.version for one in about} - {amad.__version__}:
            raise JobError(
                f"A machine of the Ray cluster has AMAD {clean_text(other, 20)}, this one {amad.__version__}. "
                "Install the same version on all of them."
            )
        names = [f"process {one.pid} at {one.address}" for one in about]
        self._names |= {member._actor_id.hex(): name for member, name in zip(found, names, strict=True)}
        self._note(f"{len(found)} worker{'s' if len(found) > 1 else ''} of the Ray cluster: {', '.join(names)}")
        return found

    def _share(self, folder: Path) -> None:
        """Gives every member the files of the run as they are now."""
        import ray

        self._files = ray.put(relay.pack(folder))
        self._wait([member.take.remote(self._files) for member in self._members])

    def _wait(self, references: Sequence[Any]) -> list[Any]:
        """What references stand for, once all are there. Errors: Stopped where the job is asked to stop meanwhile."""
        import ray

        waiting, looked = list(references), time.monotonic()
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1, timeout=LOOK_SECONDS)
            ray.get(ready)
            if waiting and self.heart.should_stop():
                raise Stopped
            if waiting and time.monotonic() - looked > FIT_SECONDS:
                looked = time.monotonic()
                if self._layout is not None and cluster.room(cluster.machines(), self._layout) < self._layout.count:
                    raise _Lost("A machine of the Ray cluster was lost")
        return list(ray.get(list(references)))

    def _end(self, place: int) -> None:
        import ray

        member, self._members[place] = self._members[place], None
        if member is not None:
            with suppress(ray.exceptions.RayError):
                ray.kill(member)

    def _dismiss(self) -> None:
        """Has all members remove their files, ends them, and gives back what the group held of the cluster."""
        import ray

        closing = [member.close.remote() for member in self._members if member is not None]
        if closing:
            with suppress(ray.exceptions.RayError):
                ray.wait(closing, num_returns=len(closing), timeout=cluster.ANSWER_SECONDS)
        for place in range(len(self._members)):
            self._end(place)
        self._members = []
        if self._group is not None:
            with suppress(ray.exceptions.RayError):
                ray.util.remove_placement_group(self._group)
            self._group = None

    def _note(self, text: str) -> None:
        with suppress(OSError), self.log.open("a", encoding="utf-8") as file:
            file.write(logs.line(text, logger=__name__) + "\n")


class Remote:
    """A finished run that members of a cluster score with."""

    def __init__(self, cluster: Cluster, channels: tuple[str, ...], device: str) -> None:
        self.cluster, self.channels, self.device = cluster, channels, device

    def blocks(self, values: Any, on_progress: OnProgress | None = None, first: int = 0) -> Iterator[Scores]:
        """Scores of values (T, C), one block of rows after another, without the rows before `first`, where a block begins."""
        begun, done, rows = time.monotonic(), first, len(values)
        for block in self.cluster.blocks(values, first):
            yield block
            done += block.rows
            left = (time.monotonic() - begun) * (rows - done) / (done - first)
            if on_progress is not None:
                on_progress(Progress("scoring", done, rows, seconds_left=left))


def _last(text: str) -> str:
    """The line of a message that says most: the last one of a trace."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return clean_text(lines[-1] if lines else "", 200).rstrip(".")


def _saved_step(folder: Path) -> int:
    """The optimiser step of the last checkpoint in a folder; -1 where there is none."""
    try:
        with (folder / relay.STATE).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(min(size, 1 << 24)))
        return int(json.loads(head["__metadata__"]["note"])["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return -1
