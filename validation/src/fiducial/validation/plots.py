"""One picture an observable: the run in black on its reference in blue, and the pulls below.

SVG with text as text, the same bytes for the same numbers (no date, no random identifiers).
Colours are Okabe & Ito's, safe for colour-blind readers; shape carries what colour carries.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fiducial.validation.compare import compare_point
from fiducial.validation.fits import SHAPES
from fiducial.validation.measure import Measurement
from fiducial.validation.observables import Observable, Peak
from fiducial.validation.references import Reference

DATA, REFERENCE, FAILED, BAND = "#1b1b1b", "#0072B2", "#D55E00", "#A6CEE6"
SERIES = (("#0072B2", "o"), ("#E69F00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#56B4E9", "v"))
SIZE = (5.2, 3.7)
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "fiducial", "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"], "font.size": 9,
    "axes.linewidth": 0.7, "axes.labelsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "xtick.direction": "in", "ytick.direction": "in", "xtick.top": True, "ytick.right": True,
    "legend.frameon": False, "legend.fontsize": 8, "axes.formatter.use_mathtext": False,
    "axes.formatter.limits": (-6, 6), "path.simplify": True,
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What a plot shows; ``caption`` is the line on its right (p-value, failure)."""

    chain: str
    observable: Observable
    measured: Measurement
    reference: Reference | None
    caption: str
    passed: bool


def draw_svg(picture: Picture) -> bytes:
    """The picture as SVG."""
    return _render(picture, "svg")


def draw_png(picture: Picture, dpi: int = 110) -> bytes:
    """The picture as PNG."""
    return _render(picture, "png", dpi)


def _render(picture: Picture, kind: str, dpi: int = 72) -> bytes:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE)
        (FigureCanvasSVG if kind == "svg" else FigureCanvasAgg)(figure)
        top, bottom = figure.subplots(
            2, 1, gridspec_kw={"height_ratios": (3, 1), "hspace": 0.09, "left": 0.14,
                               "right": 0.975, "top": 0.91, "bottom": 0.125},
        )  # fmt: skip
        _DRAW.get(picture.observable.measure.kind, _scalar)(picture, top, bottom)
        top.set_title(picture.observable.title, loc="left", fontsize=9.5, fontweight="bold")
        top.text(
            0.985, 0.965, picture.caption, transform=top.transAxes, ha="right", va="top",
            fontsize=8, color=DATA if picture.passed else FAILED,
        )  # fmt: skip
        stream = io.BytesIO()
        metadata = {"Date": None, "Creator": None} if kind == "svg" else None
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def _distribution(picture: Picture, top: Axes, bottom: Axes) -> None:
    content = picture.measured.content
    counts = np.asarray(content["counts"])[1:-1]
    variance = np.asarray(content.get("sumw2", content["counts"]))[1:-1]
    edges = np.linspace(content["low"], content["high"], content["bins"] + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    expected, spread = _expected(picture, edges)
    if expected is not None:
        low, high = expected - spread, expected + spread
        top.stairs(expected, edges, color=REFERENCE, lw=1.3, label=_name(picture.reference))
        top.stairs(high, edges, baseline=low, fill=True, color=BAND, lw=0)
        sigma = np.sqrt(np.maximum(variance, expected) + spread**2)
        pulls = np.divide(counts - expected, sigma, out=np.zeros(len(counts)), where=sigma > 0)
        _pulls(bottom, middle, pulls, np.diff(edges) * 0.9)
    top.errorbar(
        middle, counts, np.sqrt(variance), fmt="o", ms=2.6, lw=0.9, color=DATA,
        label=f"this run, {picture.measured.entries} entries",
    )  # fmt: skip
    highest = float(np.max(counts)) if len(counts) else 0.0
    filled = counts[counts > 0]
    if len(filled) and highest > 300 * float(np.median(counts)) and float(np.median(counts)) > 0:
        top.set_yscale("log")
        top.set_ylim(0.5, highest * 8)
    else:
        top.set_ylim(0, max(highest, 1.0) * 1.42)
    _finish(picture, top, bottom, edges[0], edges[-1])
    top.set_ylabel("entries / bin")


def _expected(
    picture: Picture, edges: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Reference scaled to the run, with its own statistical error."""
    counts = np.asarray(picture.measured.content["counts"])
    reference = picture.reference
    nothing = np.zeros(len(counts) - 2)
    if reference is None:
        return None, nothing
    if "probabilities" in reference.content:
        probabilities = np.asarray(reference.content["probabilities"])
        if len(probabilities) != len(counts):
            return None, nothing
        return probabilities[1:-1] / probabilities.sum() * counts.sum(), nothing
    theirs = np.asarray(reference.content.get("counts", []), dtype=np.float64)
    if len(theirs) != len(counts) or theirs.sum() == 0:
        return None, nothing
    scale = counts.sum() / theirs.sum()
    squares = np.asarray(reference.content.get("sumw2", theirs), dtype=np.float64)
    return theirs[1:-1] * scale, np.sqrt(squares[1:-1]) * scale


def _profile(picture: Picture, top: Axes, bottom: Axes) -> None:
    points = picture.measured.content["points"]
    by = picture.measured.content["by"]
    theirs = picture.reference.content["points"] if picture.reference else []
    expected = {tuple(point["at"]): point for point in theirs}
    series = sorted({tuple(point["at"][1:]) for point in points})
    logarithmic = _spans_decades([point["at"][0] for point in points])
    for k, rest in enumerate(series):
        colour, marker = SERIES[k % len(SERIES)]
        mine = [point for point in points if tuple(point["at"][1:]) == rest]
        nudge = (k - (len(series) - 1) / 2) * 0.02
        x = np.array([point["at"][0] for point in mine])
        x = x * (1 + nudge) if logarithmic else x + nudge * (np.ptp(x) or 1.0)
        label = ", ".join(f"{n} = {v:g}" for n, v in zip(by[1:], rest, strict=True)) or "this run"
        top.errorbar(
            x, [p["estimate"] for p in mine], [p["error"] for p in mine],
            fmt=marker, ms=4, lw=1, color=colour, mfc="white", label=label,
        )  # fmt: skip
        known = [point for point in mine if tuple(point["at"]) in expected]
        if known:
            top.plot(
                [p["at"][0] for p in known],
                [expected[tuple(p["at"])]["estimate"] for p in known],
                color=colour, lw=1, zorder=0,
            )  # fmt: skip
            pulls = [_signed(point, expected[tuple(point["at"])]) for point in known]
            at = x[[i for i, p in enumerate(mine) if tuple(p["at"]) in expected]]
            bottom.plot(at, pulls, marker, ms=3.4, color=colour, mfc="white")
    bottom.axhspan(-1, 1, color=BAND, alpha=0.5, lw=0)
    bottom.axhline(0, color=REFERENCE, lw=0.8)
    low, high = top.get_ylim()
    top.set_ylim(low - 0.05 * (high - low), high + 0.35 * (high - low))
    settings = sorted({point["at"][0] for point in points})
    for axes in (top, bottom):
        axes.set_xscale("log" if logarithmic else "linear")
        if len(settings) <= 12:
            axes.set_xticks(settings, [f"{value:g}" for value in settings])
            axes.minorticks_off()
    _finish(picture, top, bottom, *bottom.get_xlim())
    top.set_xlim(bottom.get_xlim())
    top.set_ylabel(picture.observable.axis.split(" vs ")[0])
    bottom.set_xlabel(picture.observable.axis.split(" vs ")[-1])


def _signed(mine: dict[str, Any], theirs: dict[str, Any]) -> float:
    sign = 1.0 if mine["estimate"] >= theirs["estimate"] else -1.0
    return sign * compare_point(mine, theirs).z


def _spans_decades(values: list[float]) -> bool:
    return min(values) > 0 and max(values) > 8 * min(values)


def _scalar(picture: Picture, top: Axes, bottom: Axes) -> None:
    """The entries above, with the estimate; estimate against reference below."""
    top.figure.subplots_adjust(hspace=0.38)
    measured, reference = picture.measured, picture.reference
    spec = picture.observable.measure
    values = measured.values
    if values is not None and len(values) and picture.observable.measure.kind != "asymmetry":
        low, high = (
            (spec.low, spec.high) if isinstance(spec, Peak) else np.percentile(values, (0.5, 99.5))
        )
        counts, edges = np.histogram(
            values, bins=_bins(values, float(low), float(high)), range=(float(low), float(high))
        )
        top.stairs(counts, edges, color=DATA, lw=1.0, label=f"{measured.entries} entries")
        top.set_ylim(0, max(int(counts.max()), 1) * 1.3)
        top.set_ylabel("entries / bin")
        top.set_xlim(float(low), float(high))
        top.tick_params(labelbottom=True, labelsize=7)
        if isinstance(spec, Peak):
            top.plot(*_fitted(spec, measured, edges), color=REFERENCE, lw=1.3, label="fit")
        else:
            top.axvline(measured.estimate, color=REFERENCE, lw=1.0, ls="--", label="mean")
        top.legend(loc="upper left")
    else:
        top.axis("off")
        lines = [f"{name} = {value}" for name, value in sorted(measured.content.items())]
        text = "\n".join([f"{measured.estimate:.5g} ± {measured.error:.2g}", *lines])
        top.text(0.03, 0.86, text, transform=top.transAxes, va="top", fontsize=10, linespacing=1.7)
    tolerance = float(getattr(picture.observable.reference, "tolerance", 0.0))
    if reference is not None:
        if tolerance:
            bottom.axvspan(
                reference.estimate - tolerance, reference.estimate + tolerance,
                color="#e9e9e9", lw=0,
            )  # fmt: skip
        bottom.errorbar(
            [reference.estimate], [0], xerr=[reference.error], fmt="s", ms=4, color=REFERENCE
        )
    bottom.errorbar([measured.estimate], [1], xerr=[measured.error], fmt="o", ms=4, color=DATA)
    bottom.set_yticks([0, 1], ["reference", "this run"])
    bottom.set_ylim(-0.7, 1.7)
    bottom.tick_params(axis="y", length=0)
    bottom.margins(x=0.25)
    bottom.xaxis.set_major_locator(MaxNLocator(5))
    bottom.set_xlabel(picture.observable.axis)
    for text_label in bottom.get_yticklabels():
        text_label.set_fontsize(7)


def _bins(values: Any, low: float, high: float) -> int:
    """Fifty bins, or whole numbers' own where the values are whole."""
    whole = bool(np.all(values == np.round(values)))
    return max(int((high - low) // 2), 1) if whole and high - low > 4 else 50


def _fitted(spec: Peak, measured: Measurement, edges: Any) -> tuple[Any, Any]:
    """The fitted shape, with as many entries as lie in the window."""
    x = np.linspace(spec.low, spec.high, 400)
    position, width = measured.content["position"], measured.content["width"]
    shape = np.exp(SHAPES[spec.shape](x, position, width, spec.gamma))
    return x, shape / np.mean(shape) * measured.entries / (len(edges) - 1)


def _pulls(axes: Axes, x: Any, pulls: Any, width: Any) -> None:
    axes.axhspan(-1, 1, color=BAND, alpha=0.5, lw=0)
    axes.bar(x, np.clip(pulls, -5, 5), width=width, color=REFERENCE, alpha=0.8)
    axes.axhline(0, color=DATA, lw=0.6)


def _finish(picture: Picture, top: Axes, bottom: Axes, low: float, high: float) -> None:
    bottom.set_ylim(-4.2, 4.2)
    bottom.set_yticks([-3, 0, 3])
    bottom.set_ylabel("pull")
    bottom.set_xlabel(picture.observable.axis)
    for axes in (top, bottom):
        axes.set_xlim(low, high)
    top.tick_params(labelbottom=False)
    top.legend(loc="upper left", ncols=2 if picture.observable.measure.kind == "profile" else 1)


def _name(reference: Reference | None) -> str:
    if reference is None:
        return "no reference"
    return f"{reference.kind}, {reference.entries} entries" if reference.entries else reference.kind


_DRAW = {"distribution": _distribution, "profile": _profile}
