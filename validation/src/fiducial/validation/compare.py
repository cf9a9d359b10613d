"""One observable against its reference: an outcome, or a failure by its own name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from fiducial.validation import statistics
from fiducial.validation.formulas import FormulaError, distribution_of, evaluate
from fiducial.validation.measure import Measurement
from fiducial.validation.observables import Analytic, Observable
from fiducial.validation.references import Reference
from fiducial.validation.statistics import Outcome


class Failure(StrEnum):
    """Why an observable fails. Only the last is a matter of statistics."""

    MISSING_OBSERVABLE = "missing observable"
    EXTRA_OBSERVABLE = "extra observable"
    MISSING_REFERENCE = "missing reference"
    CHANGED_DECLARATION = "reference of another declaration"
    INCOMPATIBLE_BINNING = "incompatible binning"
    CHANGED_FORMULA = "formula changed since blessing"
    NOT_INDEPENDENT = "reference not independent"
    TOO_FEW_EVENTS = "too few events"
    NOT_A_NUMBER = "not a number"
    RUN_FAILED = "run failed"
    DIFFERS = "differs from the reference"


@dataclass(frozen=True)
class Refusal(Exception):  # noqa: N818
    """A comparison that cannot be made."""

    failure: Failure
    detail: str


def compare(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    """Compare; raises :class:`Refusal` where there is nothing sound to compare."""
    if measured.entries < observable.min_entries:
        raise Refusal(
            Failure.TOO_FEW_EVENTS,
            f"{measured.entries} entries, at least {observable.min_entries} are needed",
        )
    numbers = (measured.estimate, measured.error, reference.estimate, reference.error)
    if not all(math.isfinite(number) for number in numbers):
        raise Refusal(Failure.NOT_A_NUMBER, f"estimate {measured.estimate} ± {measured.error}")
    if isinstance(observable.reference, Analytic):
        _check_formula(observable, reference)
    return _COMPARISONS[observable.comparison](observable, measured, reference)


def _check_formula(observable: Observable, reference: Reference) -> None:
    try:
        now = evaluate(observable)
    except FormulaError as error:
        raise Refusal(Failure.CHANGED_FORMULA, str(error)) from None
    before = [reference.estimate, *_numbers(reference.content)]
    after = [now.estimate, *_numbers(now.content)]
    same = len(before) == len(after) and np.allclose(before, after, rtol=1e-9, atol=1e-12)
    if not same:
        raise Refusal(
            Failure.CHANGED_FORMULA,
            f"it gives {now.estimate:.10g} now, {reference.estimate:.10g} was blessed",
        )


def _numbers(content: Any) -> list[float]:
    if isinstance(content, dict):
        return [number for key in sorted(content) for number in _numbers(content[key])]
    if isinstance(content, list):
        return [number for item in content for number in _numbers(item)]
    return [float(content)] if isinstance(content, int | float) else []


def _same_binning(measured: Measurement, reference: Reference) -> None:
    for name in ("low", "high", "bins"):
        mine, theirs = measured.content[name], reference.content.get(name)
        if mine != theirs:
            raise Refusal(
                Failure.INCOMPATIBLE_BINNING, f"{name} {mine}, the reference has {theirs}"
            )


def _chi2(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    _same_binning(measured, reference)
    data, minimum = measured.content["counts"], observable.min_expected
    if "probabilities" in reference.content:
        return statistics.shape_against_model(data, reference.content["probabilities"], minimum)
    if "sumw2" in measured.content:
        return statistics.shape_weighted(
            data, measured.content["sumw2"],
            reference.content["counts"], reference.content["sumw2"], max(minimum, 25.0),
        )  # fmt: skip
    return statistics.shape_two_sample(data, reference.content["counts"], minimum)


def _ks(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    assert measured.values is not None
    _same_binning(measured, reference)
    if isinstance(observable.reference, Analytic):
        return statistics.ks_against_model(measured.values, distribution_of(observable))
    return statistics.ks_two_sample(measured.values, reference.content["sample"])


def _welch(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    return statistics.welch(
        measured.estimate, measured.content["variance"], measured.entries,
        reference.estimate, reference.content["variance"], reference.entries,
    )  # fmt: skip


def _pull(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    tolerance = float(getattr(observable.reference, "tolerance", 0.0))
    return statistics.pull(
        measured.estimate, measured.error, reference.estimate, reference.error, tolerance
    )


def _efficiency(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    return _point_efficiency(measured.content, reference.content, reference.estimate)


def _point_efficiency(measured: dict[str, Any], reference: dict[str, Any], exact: float) -> Outcome:
    passed, total = measured["passed"], measured["total"]
    if "total" in reference:
        return statistics.efficiency_two_sample(
            passed, total, reference["passed"], reference["total"]
        )
    return statistics.efficiency_against(passed, total, exact)


def _points(observable: Observable, measured: Measurement, reference: Reference) -> Outcome:
    mine = {tuple(point["at"]): point for point in measured.content["points"]}
    theirs = {tuple(point["at"]): point for point in reference.content["points"]}
    for at in theirs.keys() - mine.keys():
        raise Refusal(Failure.MISSING_OBSERVABLE, f"no entries at {_at(reference, at)}")
    for at in mine.keys() - theirs.keys():
        raise Refusal(Failure.EXTRA_OBSERVABLE, f"no reference at {_at(reference, at)}")
    return statistics.combine_points([compare_point(mine[at], theirs[at]) for at in sorted(theirs)])


def _at(reference: Reference, at: tuple[float, ...]) -> str:
    return ", ".join(
        f"{name} = {value:g}" for name, value in zip(reference.content["by"], at, strict=True)
    )


def compare_point(mine: dict[str, Any], theirs: dict[str, Any]) -> Outcome:
    """One point of a profile: an efficiency, a mean or a Gaussian spread."""
    if "total" in mine:
        return _point_efficiency(mine, theirs, theirs["estimate"])
    if "entries" in theirs:
        return statistics.pull(mine["estimate"], mine["error"], theirs["estimate"], theirs["error"])
    if mine["of"] == "spread":
        return statistics.spread_against(mine["estimate"], mine["entries"], theirs["estimate"])
    return statistics.welch(
        mine["estimate"], mine["variance"], mine["entries"], theirs["estimate"], 0.0, 1e12
    )


_COMPARISONS = {
    "chi2": _chi2,
    "ks": _ks,
    "welch": _welch,
    "pull": _pull,
    "efficiency": _efficiency,
    "points": _points,
}
