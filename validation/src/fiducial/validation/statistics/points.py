"""One p-value for a curve of independent points, each compared exactly with its own expectation."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import special

from fiducial.validation.statistics.outcome import Outcome


def combine_points(points: Sequence[Outcome]) -> Outcome:
    """The smallest p-value of independent points, corrected for their number (Sidak).

    Conservative where the points' tests are. Finds one wrong point among many; a small shift
    common to all is found by the distributions beside it.
    """
    if not points:
        return Outcome(0.0, 1.0, "smallest of 0 points")
    worst = min(points, key=lambda point: point.p_value)
    n = len(points)
    p_value = float(-special.expm1(n * special.log1p(-min(worst.p_value, 1 - 1e-16))))
    return Outcome(worst.statistic, p_value, f"smallest p of {n} points", worst.method)
