"""The critical-difference picture (Demsar 2006) as SVG: methods on an axis of mean ranks, bars over what cannot be told apart."""

from __future__ import annotations

from html import escape

from benchmarks.quality.statistics import Ranks

WIDTH, LEFT, ROW, TOP = 960, 250, 18, 62
INK, SOFT, MARK = "#1c2733", "#8a97a5", "#0b6fb8"


def cliques(mean: dict[str, float], difference: float) -> list[tuple[float, float]]:
    """Longest runs of mean ranks that lie within the critical difference, as (first, last); single methods make none."""
    places = sorted(mean.values())
    found: list[tuple[float, float]] = []
    for index, first in enumerate(places):
        last = max(place for place in places[index:] if place - first <= difference)
        if last > first and not any(low <= first and last <= high for low, high in found):
            found.append((first, last))
    return found


def critical_difference(found: Ranks, title: str, mark: str = "AMAD") -> str:
    """The picture as SVG text; `mark` is drawn in the accent colour. It has a white ground, so that it reads on any page."""
    order = sorted(found.mean, key=lambda method: found.mean[method])
    low, high = 1, max(len(order), 2)
    bars = cliques(found.mean, found.difference) if found.difference is not None else []
    half = (len(order) + 1) // 2
    axis = TOP + 8 * max(len(bars), 1)
    height = axis + 40 + ROW * half

    def x(rank: float) -> float:
        return LEFT + (rank - low) / (high - low) * (WIDTH - 2 * LEFT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title, quote=True)}" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{WIDTH / 2}" y="18" text-anchor="middle" font-size="13" fill="{INK}">{escape(title)}</text>',
    ]
    if found.difference is not None:
        end = x(low) + found.difference / (high - low) * (WIDTH - 2 * LEFT)
        parts.append(
            f'<path d="M{x(low):.1f} 36H{end:.1f}M{x(low):.1f} 32v8M{end:.1f} 32v8" stroke="{INK}" fill="none"/>'
        )
        parts.append(f'<text x="{end + 8:.1f}" y="40" fill="{INK}">critical difference {found.difference:.2f}</text>')
    for index, (first, last) in enumerate(bars):
        y = TOP - 4 + 8 * index
        parts.append(f'<path d="M{x(first) - 3:.1f} {y}H{x(last) + 3:.1f}" stroke="{INK}" stroke-width="3"/>')
    parts.append(f'<path d="M{x(low):.1f} {axis}H{x(high):.1f}" stroke="{INK}"/>')
    step = max(1, round(high / 12))
    numbers = []  # over the lines to the names
    for rank in range(low, high + 1, step):
        parts.append(f'<path d="M{x(rank):.1f} {axis - 4}v8" stroke="{INK}"/>')
        numbers.append(
            f'<text x="{x(rank):.1f}" y="{axis + 18}" text-anchor="middle" fill="{SOFT}" stroke="#ffffff" '
            f'stroke-width="4" paint-order="stroke">{rank}</text>'
        )
    for index, method in enumerate(order):
        left = index < half
        y = axis + 36 + ROW * (index if left else len(order) - 1 - index)
        place, edge = x(found.mean[method]), LEFT - 12 if left else WIDTH - LEFT + 12
        colour, weight = (MARK, ' font-weight="bold"') if method == mark else (INK, "")
        parts.append(f'<path d="M{place:.1f} {axis}V{y}H{edge}" stroke="{colour}" stroke-opacity=".6" fill="none"/>')
        anchor, at = ("end", edge - 6) if left else ("start", edge + 6)
        text = f"{escape(method)} {found.mean[method]:.1f}"
        parts.append(f'<text x="{at}" y="{y + 4}" text-anchor="{anchor}" fill="{colour}"{weight}>{text}</text>')
    return "\n".join([*parts, *numbers, "</svg>"]) + "\n"
