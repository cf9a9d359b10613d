"""Kolmogorov-Smirnov comparison of unbinned samples.

Entries come from the tables, never from bins: a binned distance is conservative by an unknown
factor. For columns with ties (multiplicities) the test is conservative; observables of that kind
use chi2. Neglects nothing for continuous data but the lattice of D: the two-sample p-value uses the
one-sample law at the effective size n m / (n + m), which the tests measure down to 1e-4.

Source: Marsaglia, Tsang & Wang, J. Stat. Softw. 8 (2003) 18, as implemented by scipy's kstwo.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from fiducial.validation.statistics.outcome import Outcome


def ks_two_sample(data: ArrayLike, reference: ArrayLike) -> Outcome:
    """Do two unbinned samples (n,), (m,) come from one continuous distribution?"""
    a = np.sort(np.asarray(data, dtype=np.float64))
    b = np.sort(np.asarray(reference, dtype=np.float64))
    if len(a) == 0 or len(b) == 0:
        return Outcome(0.0, 1.0, "Kolmogorov-Smirnov", "an empty sample")
    both = np.concatenate([a, b])
    distance = float(
        np.max(
            np.abs(
                np.searchsorted(a, both, side="right") / len(a)
                - np.searchsorted(b, both, side="right") / len(b)
            )
        )
    )
    effective = round(len(a) * len(b) / (len(a) + len(b)))
    return _outcome(distance, max(effective, 1), "Kolmogorov-Smirnov")


def ks_against_model(
    data: ArrayLike, cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Outcome:
    """Does an unbinned sample (n,) follow a known continuous distribution? Exact.

    cdf  cumulative distribution, vectorised
    """
    a = np.sort(np.asarray(data, dtype=np.float64))
    if len(a) == 0:
        return Outcome(0.0, 1.0, "Kolmogorov-Smirnov (exact model)", "an empty sample")
    expected, n = cdf(a), len(a)
    above = np.max(np.arange(1, n + 1) / n - expected)
    below = np.max(expected - np.arange(n) / n)
    return _outcome(float(max(above, below)), n, "Kolmogorov-Smirnov (exact model)")


def _outcome(distance: float, effective: int, method: str) -> Outcome:
    p_value = float(np.clip(stats.kstwo.sf(distance, effective), 0.0, 1.0))
    return Outcome(distance, p_value, method, f"effective size {effective}")
