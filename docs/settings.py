"""Writes docs/settings.md from amad.config, the one source of every setting: `python -m docs.settings`."""

from pathlib import Path
from typing import Any

from amad.config import PRESETS, fields

GROUPS = {"data": "Data", "model": "Model", "objective": "Objective", "training": "Training", "detection": "Detection"}


def page() -> str:
    """The page as text."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m docs.settings` from `amad/config.py`. Each setting goes with `amad fit --set name=value`, with",
        "`AMAD(name=value)` in Python, and stands on the Train page. Defaults are those of `balanced`. [P] is the paper's, [D] ours.",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", "| setting | default | unit | range | meaning |", "|---|---|---|---|---|"]
        for name, entry in fields().items():
            if entry["group"] == group:
                cells = [
                    f"`{name}`",
                    _shown(entry["default"]),
                    entry["unit"] or "–",
                    _range(entry),
                    entry["description"],
                ]
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    lines += ["## Presets", "", "What each preset changes.", ""]
    for preset, changes in PRESETS.items():
        listed = ", ".join(f"`{name}={_shown(value)}`" for name, value in changes.items())
        lines.append(f"- `{preset}`: {listed or 'nothing, it is the default'}")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if value == ():
        return "all"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _range(entry: dict[str, Any]) -> str:
    if entry["choices"]:
        return ", ".join(str(choice) for choice in entry["choices"])
    low, high = entry["minimum"], entry["maximum"]
    if low is None and high is None:
        return "–"
    return f"{_shown(low) if low is not None else ''} to {_shown(high) if high is not None else 'any'}".strip()


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), encoding="utf-8")
