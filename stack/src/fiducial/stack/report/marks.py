"""Small drawings of numbers, as inline SVG: a pull on its scale, and all pulls together.

Colours are CSS classes, so that they follow light and dark; every drawing has a text for those
who do not see it. Only numbers of ours go into the markup.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

_LIMIT = 4.0
_BIN = 0.5


def pull_gauge(pull: float | None, passed: bool) -> Markup:
    """A bar from 0 to the pull on a scale of -4 to 4; the band is one standard deviation."""
    if pull is None:
        return Markup("")
    width, height, middle = 96, 14, 48
    unit = middle / _LIMIT
    clipped = max(-_LIMIT, min(_LIMIT, pull))
    left, length = middle + min(0.0, clipped) * unit, abs(clipped) * unit
    state = "ok" if passed else "bad"
    return Markup(
        f'<svg class="gauge {state}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="pull {pull:+.2f}">'
        f'<rect class="band" x="{middle - unit:.1f}" y="1" width="{2 * unit:.1f}" height="12"/>'
        f'<rect class="bar" x="{left:.1f}" y="4" width="{max(length, 1):.1f}" height="6"/>'
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{height}"/></svg>'
    )


def pull_histogram(pulls: Sequence[tuple[float, bool, str]]) -> Markup:
    """One dot an observable (pull, passed, name), stacked, on the expected normal curve."""
    if not pulls:
        return Markup("")
    width, left, right, bottom = 640, 20, 20, 26
    bins: dict[int, list[tuple[float, bool, str]]] = {}
    for item in sorted(pulls):
        clipped = max(-_LIMIT, min(_LIMIT - 1e-9, item[0]))
        bins.setdefault(math.floor(clipped / _BIN), []).append(item)
    tallest = max(len(items) for items in bins.values())
    peak = len(pulls) * _BIN / math.sqrt(2 * math.pi)
    step = max(3.0, min(14.0, 120.0 / max(tallest, peak, 1.0)))
    height = bottom + step * max(tallest, peak) + 12
    base, unit = height - bottom, (width - left - right) / (2 * _LIMIT)

    def x(pull: float) -> float:
        return left + (pull + _LIMIT) * unit

    parts = [
        f'<rect class="band" x="{x(-1):.1f}" y="4" width="{2 * unit:.1f}" height="{base - 4:.1f}"/>'
    ]
    curve = [
        f"{x(at / 20):.1f},{base - step * peak * math.exp(-0.5 * (at / 20) ** 2):.1f}"
        for at in range(-80, 81)
    ]
    parts.append(f'<polyline class="curve" points="{" ".join(curve)}"/>')
    radius = min(step, unit * _BIN) * 0.38
    for index, items in bins.items():
        middle = x((index + 0.5) * _BIN)
        ordered = sorted(items, key=lambda item: item[1], reverse=True)
        for level, (pull, passed, name) in enumerate(ordered):
            dot = Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}: {}</title></circle>')
            parts.append(
                dot.format(
                    "ok" if passed else "bad", f"{middle:.1f}",
                    f"{base - step * (level + 0.5):.1f}", f"{radius:.1f}", name, f"{pull:+.2f}",
                )
            )  # fmt: skip
    parts.append(f'<line class="axis" x1="{left}" x2="{width - right}" y1="{base}" y2="{base}"/>')
    for tick in range(-4, 5):
        label = f"−{-tick}" if tick < 0 else str(tick)
        parts.append(
            f'<line class="axis" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{base}" '
            f'y2="{base + 4}"/><text x="{x(tick):.1f}" y="{base + 17}">{label}</text>'
        )
    text = f"{len(pulls)} pulls from {min(pulls)[0]:+.2f} to {max(pulls)[0]:+.2f}"
    return Markup(
        f'<svg class="pulls" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{text}">'
    ) + Markup("".join(str(part) for part in parts) + "</svg>")
