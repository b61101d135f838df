"""What is being worked on, and how far it is, in words: the long line of Train and the short one of the sidebar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amad.workspace import Workspace
from app.parts import text

BUSY = ("queued", "running", "stopping")
_STANDING = {
    "queued": "waits for its turn",
    "running": "is being trained",
    "stopping": "is being stopped",
    "stopped": "was stopped",
    "failed": "failed",
    "lost": "was lost",
    "done": "is finished",
}
_STAGES = ("preparing", "training", "calibrating", "scoring")


@dataclass(frozen=True)
class Job:
    """A run being trained, or a run being scored on a further series (`series_id` is then that series)."""

    id: str
    run_id: str
    name: str
    state: str
    progress: Mapping[str, Any]
    series_id: str | None
    scoring: bool
    error: str | None = None

    @property
    def busy(self) -> bool:
        """Whether it waits or works."""
        return self.state in BUSY


def jobs(store: Workspace) -> list[Job]:
    """Every training and scoring, the newest first."""
    return [
        Job(
            found.id,
            found.run_id,
            f"{found.name or found.run_id} on {found.on or found.series_id}" if found.scoring else str(found.name),
            found.state,
            found.progress,
            found.series_id,
            found.scoring,
            found.error,
        )
        for found in store.jobs()
    ]


def standing(state: str) -> str:
    """What follows the name of a run: "is finished", "was stopped"."""
    return _STANDING.get(state, f"is {state}")


def fraction(progress: Mapping[str, Any]) -> float:
    """How much of the present stage is done, 0 to 1."""
    steps = progress.get("steps") or 0
    return min(1.0, max(0.0, (progress.get("step") or 0) / steps)) if steps else 0.0


def stage(job: Job) -> str:
    """One word for what the job does now: its stage while it runs, else its state."""
    named = str(job.progress.get("stage", ""))
    return named if job.state == "running" and named in _STAGES else job.state


def short(job: Job) -> str:
    """The line of the sidebar: "balanced-04 training, 4 min left"."""
    left = job.progress.get("seconds_left")
    rest = f", {text.duration(left)} left" if left is not None and job.state == "running" else ""
    return f"{job.name} {stage(job)}{rest}"


def long(job: Job) -> str:
    """The line of Train: "34 % · step 1,240 of 3,650 · 212 windows/s · about 4 min left"."""
    now = job.progress
    if job.state == "queued":
        return "Waiting for its turn"
    if not now.get("steps"):
        return "Starting"
    parts = [text.percent(fraction(now)), f"step {text.count(now.get('step') or 0)} of {text.count(now['steps'])}"]
    if now.get("windows_per_second"):
        parts.append(f"{text.number(now['windows_per_second'])} windows/s")
    if now.get("seconds_left") is not None:
        parts.append(f"about {text.duration(now['seconds_left'])} left")
    return " · ".join(parts)


def headline(job: Job) -> str:
    """What stands over the bar, after the name: "training on cpu, epoch 3 of 10"."""
    now = job.progress
    words = stage(job)
    if words == "training" and now.get("epochs"):
        words += f", epoch {text.count(now.get('epoch') or 1)} of {text.count(now['epochs'])}"
    return words
