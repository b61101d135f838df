"""How far a job is, in words: the long line of Train and the short one of the sidebar."""

from __future__ import annotations

from amad.workspace import RunRecord

from app.parts import text

_STAGE = {
    "preparing": "preparing",
    "training": "training",
    "calibrating": "calibrating",
    "scoring": "scoring",
}


def fraction(run: RunRecord) -> float:
    """How much of the current stage is done, 0 to 1."""
    steps = run.progress.get("steps") or 0
    return min(1.0, max(0.0, (run.progress.get("step") or 0) / steps)) if steps else 0.0


def short(run: RunRecord) -> str:
    """ "balanced-04 training, 4 min left"."""
    left = run.progress.get("seconds_left")
    rest = f", {text.duration(left)} left" if left is not None and run.state == "running" else ""
    return f"{run.name} {stage(run)}{rest}"


def stage(run: RunRecord) -> str:
    """One word for what the job does now."""
    if run.state != "running":
        return run.state
    return _STAGE.get(str(run.progress.get("stage", "")), "running")


def long(run: RunRecord) -> str:
    """ "34 % · step 1,240 of 3,650 · 212 windows/s · about 4 min left"."""
    now = run.progress
    if not now.get("steps"):
        return "Waiting for its turn" if run.state == "queued" else "Starting"
    parts = [text.percent(fraction(run)), f"step {text.count(now.get('step', 0))} of {text.count(now['steps'])}"]
    if now.get("windows_per_second"):
        parts.append(f"{text.number(now['windows_per_second'])} windows/s")
    if now.get("seconds_left") is not None:
        parts.append(f"about {text.duration(now['seconds_left'])} left")
    return " · ".join(parts)
