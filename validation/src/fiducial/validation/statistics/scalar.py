"""Comparison of one number with another: pull, Welch's t, the spread of a Gaussian sample."""

from __future__ import annotations

import math

from scipy import special

from fiducial.validation.statistics.outcome import Outcome


def pull(
    estimate: float, error: float, reference: float, reference_error: float, tolerance: float = 0.0
) -> Outcome:
    """Is |truth - reference truth| within ``tolerance``? Gaussian errors, independent.

    With tolerance 0 the p-value is uniform. With a tolerance the null hypothesis is an interval;
    the p-value is the largest over it, so it is uniform at the edge and conservative inside.
    """
    difference = estimate - reference
    sigma = math.hypot(error, reference_error)
    if sigma == 0.0:
        inside = abs(difference) <= tolerance
        return Outcome(0.0 if inside else math.inf, 1.0 if inside else 0.0, "pull", "no error")
    near = (abs(difference) - tolerance) / sigma
    far = (abs(difference) + tolerance) / sigma
    p_value = min(1.0, float(special.ndtr(-near) + special.ndtr(-far)))
    detail = f"model tolerance {tolerance:g}" if tolerance else ""
    return Outcome(difference / sigma, p_value, "pull", detail)


def welch(
    mean: float, variance: float, n: float,
    reference: float, reference_variance: float, reference_n: float,
) -> Outcome:  # fmt: skip
    """Have two samples one mean? Welch's t with Satterthwaite's degrees of freedom.

    variance  unbiased sample variances; exact for Gaussian entries, asymptotic otherwise.
    """
    a, b = variance / n, reference_variance / reference_n
    if a + b == 0.0:
        same = mean == reference
        return Outcome(0.0 if same else math.inf, 1.0 if same else 0.0, "Welch t", "no spread")
    t = (mean - reference) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / max(n - 1, 1) + b**2 / max(reference_n - 1, 1))
    p_value = min(1.0, 2 * float(special.stdtr(freedom, -abs(t))))
    return Outcome(t, p_value, "Welch t", f"{freedom:.0f} degrees of freedom")


def spread_against(spread: float, n: int, sigma: float) -> Outcome:
    """Has a Gaussian sample the standard deviation ``sigma``? Exact, equal tails.

    spread  sample standard deviation with n - 1 in the denominator
    """
    statistic = (n - 1) * (spread / sigma) ** 2
    lower = float(special.gammainc((n - 1) / 2, statistic / 2))
    upper = float(special.gammaincc((n - 1) / 2, statistic / 2))
    z = (spread / sigma - 1) * math.sqrt(2 * (n - 1))
    return Outcome(z, min(1.0, 2 * min(lower, upper)), "variance of a Gaussian sample", f"n = {n}")
