"""What a comparison answers: a statistic, its p-value, and the same as a Gaussian pull."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special


@dataclass(frozen=True)
class Outcome:
    """The answer of one comparison.

    statistic   its value (chi2, KS distance, t, pull, count)
    p_value     probability, if nothing changed, of a statistic at least as extreme
    method      the test, in words that a reader can look up
    detail      figures worth showing (degrees of freedom, merged bins, …)
    """

    statistic: float
    p_value: float
    method: str
    detail: str = ""

    @property
    def z(self) -> float:
        """The two-sided Gaussian equivalent of the p-value, in standard deviations (>= 0)."""
        return gaussian_z(self.p_value)


def gaussian_z(p_value: float) -> float:
    """Standard deviations z with P(|x| > z) = p; 38 (the smallest double) where p underflows."""
    if p_value >= 1.0:
        return 0.0
    return min(float(-special.ndtri(max(p_value, 1e-318) / 2)), 38.0)
