"""From a table to a measurement: an estimate with its error, and what its comparison needs.

Pure functions of whole columns, in one pass, so that the answer does not depend on how the run
was split. A NaN or infinity in a column that an observable uses is a failure, never skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.core.errors import InputError
from fiducial.validation import observables as declared
from fiducial.validation.cuts import Cut, Table, column, select
from fiducial.validation.fits import fit_peak

Floats = NDArray[np.float64]
SAMPLE = 4000  # entries kept in a reference for unbinned comparison


class NotANumber(InputError):  # noqa: N818
    """A column holds NaN or infinity."""


@dataclass(frozen=True)
class Measurement:
    """What was measured.

    entries   rows that count
    estimate  the number shown, with its statistical ``error``
    content   JSON-able: histogram, sample, counts or points, as the kind of measure needs
    values    the selected column, for unbinned comparison and plots (not stored)
    """

    entries: int
    estimate: float
    error: float
    content: dict[str, Any] = field(default_factory=dict)
    values: Floats | None = None


def measure(observable: declared.Observable, table: Table) -> Measurement:
    """Measure one observable on its table."""
    for cut in observable.where:
        _finite(column(table, cut.column), cut.column)
    keep = select(table, observable.where)
    rows = {name: np.asarray(values)[keep] for name, values in table.items()}
    return _MEASURES[observable.measure.kind](observable.measure, rows)


def _finite(values: Floats, name: str) -> Floats:
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise NotANumber(f"column '{name}' holds {bad} NaN or infinite of {len(values)} values")
    return values


def _values(rows: Table, name: str) -> Floats:
    return _finite(column(rows, name), name)


def _moments(values: Floats) -> tuple[float, float]:
    mean = float(np.mean(values)) if len(values) else math.nan
    variance = float(np.var(values, ddof=1)) if len(values) > 1 else math.nan
    return mean, variance


def _distribution(spec: declared.Distribution, rows: Table) -> Measurement:
    values = _values(rows, spec.column)
    weights = _values(rows, spec.weight) if spec.weight else None
    inner = np.linspace(spec.low, spec.high, spec.bins + 1)
    bins = np.concatenate([[-np.inf], inner, [np.inf]])
    where = np.searchsorted(bins, values, side="right") - 1
    size = spec.bins + 2
    counts = np.bincount(where, weights, minlength=size).astype(np.float64)
    content: dict[str, Any] = {
        "low": spec.low, "high": spec.high, "bins": spec.bins, "counts": counts.tolist(),
        "sample": values[:SAMPLE].tolist(),
    }  # fmt: skip
    if weights is not None:
        content["sumw2"] = np.bincount(where, weights**2, minlength=size).tolist()
    inside = values[(values >= spec.low) & (values < spec.high)]
    mean, variance = _moments(inside)
    error = math.sqrt(variance / len(inside)) if len(inside) > 1 else math.nan
    return Measurement(len(values), mean, error, content, values)


def _mean(spec: declared.Mean, rows: Table) -> Measurement:
    values = _values(rows, spec.column)
    mean, variance = _moments(values)
    error = math.sqrt(variance / len(values)) if len(values) > 1 else math.nan
    return Measurement(len(values), mean, error, {"variance": variance}, values)


def _peak(spec: declared.Peak, rows: Table) -> Measurement:
    values = _values(rows, spec.column)
    fit = fit_peak(values, spec.low, spec.high, spec.shape, spec.gamma)
    position = spec.quantity == "position"
    content = {"position": fit.position, "width": fit.width}
    return Measurement(
        fit.entries,
        fit.position if position else fit.width,
        fit.position_error if position else fit.width_error,
        content,
        values,
    )


def _fraction(spec: declared.Fraction, rows: Table) -> Measurement:
    return _share(rows, spec.passing)


def _share(rows: Table, cuts: tuple[Cut, ...]) -> Measurement:
    for cut in cuts:
        _values(rows, cut.column)
    passing = select(rows, cuts)
    passed, total = int(np.count_nonzero(passing)), len(passing)
    share = passed / total if total else math.nan
    error = math.sqrt(max(share * (1 - share), 1 / total) / total) if total else math.nan
    return Measurement(total, share, error, {"passed": passed, "total": total})


def _ratio(spec: declared.Ratio, rows: Table) -> Measurement:
    top = int(np.count_nonzero(select(rows, spec.numerator)))
    bottom = int(np.count_nonzero(select(rows, spec.denominator)))
    content = {"numerator": top, "denominator": bottom}
    if top == 0 or bottom == 0:
        return Measurement(min(top, bottom), math.nan, math.nan, content)
    ratio = spec.scale * top / bottom
    return Measurement(min(top, bottom), ratio, ratio * math.sqrt(1 / top + 1 / bottom), content)


def _asymmetry(spec: declared.Asymmetry, rows: Table) -> Measurement:
    values = _values(rows, spec.column)
    forward, total = int(np.count_nonzero(values > 0)), len(values)
    asymmetry = (2 * forward - total) / total if total else math.nan
    error = math.sqrt((1 - asymmetry**2) / total) if total else math.nan
    return Measurement(total, asymmetry, error, {"forward": forward, "total": total}, values)


def _cross_section(spec: declared.CrossSection, rows: Table) -> Measurement:
    trials = float(_values(rows, spec.trials).sum())
    if trials == 0:
        return Measurement(0, math.nan, math.nan)
    mean = float(_values(rows, spec.weight_sum).sum()) / trials
    square = float(_values(rows, spec.weight_squared_sum).sum()) / trials
    rounding = 1e-9 * abs(mean)  # where every trial has the same weight
    error = math.sqrt(max(square - mean**2, 0.0) / trials + rounding**2)
    return Measurement(int(trials), mean, error, {"trials": int(trials)})


def setting(values: Floats) -> Floats:
    """The setting that a value belongs to: rounded to 1 MeV or 1 mrad."""
    return np.round(values, 3) + 0.0


def _profile(spec: declared.Profile, rows: Table) -> Measurement:
    keys = np.stack([setting(_values(rows, name)) for name in spec.by], axis=1)
    unique, which = np.unique(keys, axis=0, return_inverse=True)
    points = []
    for i, key in enumerate(unique):
        chosen = {name: np.asarray(values)[which.ravel() == i] for name, values in rows.items()}
        points.append({"at": key.tolist(), **_point(spec, chosen)})
    entries = min((point["entries"] for point in points), default=0)
    estimates = [point["estimate"] for point in points]
    middle = float(np.mean(estimates)) if points else math.nan
    error = float(np.sqrt(np.sum([p["error"] ** 2 for p in points]))) / max(len(points), 1)
    return Measurement(entries, middle, error, {"by": list(spec.by), "points": points})


def _point(spec: declared.Profile, rows: Table) -> dict[str, Any]:
    if spec.of == "fraction":
        share = _share(rows, spec.passing)
        return {"entries": share.entries, "estimate": share.estimate, "error": share.error,
                **share.content}  # fmt: skip
    assert spec.column is not None
    values = _values(rows, spec.column)
    mean, variance = _moments(values)
    n = len(values)
    spread = math.sqrt(variance) if n > 1 else math.nan
    if spec.of == "mean":
        estimate, error = mean, spread / math.sqrt(n) if n else math.nan
    else:
        estimate, error = spread, spread / math.sqrt(2 * (n - 1)) if n > 1 else math.nan
    return {"entries": n, "estimate": estimate, "error": error, "variance": variance,
            "of": spec.of}  # fmt: skip


_MEASURES: dict[str, Callable[[Any, Table], Measurement]] = {
    "distribution": _distribution,
    "mean": _mean,
    "peak": _peak,
    "fraction": _fraction,
    "ratio": _ratio,
    "asymmetry": _asymmetry,
    "cross_section": _cross_section,
    "profile": _profile,
}
