"""Where the computing of a job is done: in this process, or by a Ray cluster on its behalf."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amad.config import AMAD
from amad.jobs.engine import on_ray
from amad.jobs.heart import Heart
from amad.progress import OnProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amad.config import Config
    from amad.detection import Scores
    from amad.series import Series


class Scoring(Protocol):
    """What scores series: a finished run, wherever it is."""

    channels: tuple[str, ...]

    def blocks(self, values: NDArray[Any], on_progress: OnProgress | None = None, first: int = 0) -> Iterator[Scores]:
        """Scores of values (T, C), one block of rows after another, from row `first` on, where a block begins."""


class Site(Protocol):
    """A place where a run is fitted and series are scored; the files of the run lie in the workspace's folder."""

    @property
    def places(self) -> int:
        """How many series it scores at a time."""

    def device(self, config: Config) -> str:
        """The device that a setting means there. Errors: ConfigError; JobError."""

    def fit(
        self,
        folder: Path,
        series: Series,
        config: Config,
        part: tuple[int, int],
        preset: str,
        checkpoint_seconds: float,
    ) -> bool:
        """Fits and calibrates a run from wherever it stood; False when it was stopped."""

    def load(self, folder: Path, device: str = "auto") -> Scoring:
        """The finished run."""

    def peak(self) -> dict[str, float]:
        """The most bytes that processes other than this one have held."""


class Here:
    """This process."""

    places = 1

    def __init__(self, heart: Heart) -> None:
        self.heart = heart

    def device(self, config: Config) -> str:
        """The device that a setting means on this machine; a baseline knows only the CPU."""
        if config.detector != AMAD:
            return "cpu"
        from amad.training import resolve_device

        return resolve_device(config.device)

    def fit(
        self,
        folder: Path,
        series: Series,
        config: Config,
        part: tuple[int, int],
        preset: str,
        checkpoint_seconds: float,
    ) -> bool:
        """Fits and calibrates a run from wherever it stood; False when it was stopped."""
        if config.detector != AMAD:
            from amad.evaluation.baselines.run import fit_baseline

            fit_baseline(folder, series, config, part=part, preset=preset, on_progress=self.heart.progress)
            return True
        # torch is loaded only now: whatever is wrong with the call has been said before
        from amad.detection import fit_run

        return fit_run(
            folder, series, config, part=part, resume=True, on_progress=self.heart.progress,
            should_stop=self.heart.should_stop, checkpoint_seconds=checkpoint_seconds,
        )  # fmt: skip

    def load(self, folder: Path, device: str = "auto") -> Scoring:
        """The finished run."""
        from amad.evaluation.baselines.run import load_run

        return load_run(folder, device)

    def peak(self) -> dict[str, float]:
        """None but this one."""
        return {}


@contextmanager
def site(heart: Heart, log: Path) -> Iterator[Site]:
    """Where AMAD_ENGINE has the work done; `log` takes lines on the cluster. Errors: ConfigError and JobError as of Ray."""
    if not on_ray():
        yield Here(heart)
        return
    from amad.jobs.spread import Cluster

    with Cluster(heart, log) as cluster:
        yield cluster
