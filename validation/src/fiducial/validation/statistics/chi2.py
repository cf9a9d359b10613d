"""Chi2 comparison of the shape of two histograms, with the reference's own error counted.

Conditional on the totals, so that it tests shape alone: a change of rate is another observable.
Sparse bins are merged by a rule that looks only at the sum of both histograms, which carries no
information on their difference; so merging does not bias the p-value. Neglects correlations
between bins (several entries of one event): observables have one entry an event, or
independent ones.

Sources: Pearson 1900; exact variance of a contingency table's chi2: Dawson, Biometrika 41 (1954)
280; weighted histograms: Gagunashvili, NIM A 614 (2010) 287.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from fiducial.core.errors import InputError
from fiducial.validation.statistics.moments import (
    binomial_square_cumulants,
    pearson3_sf,
    poisson_square_cumulants,
)
from fiducial.validation.statistics.outcome import Outcome

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]


def merge_sparse(content: ArrayLike, minimum: float) -> Groups:
    """First bin of each group, so that every group's content reaches ``minimum``.

    Goes from the left, closing a group when it is full; what remains joins the last group.
    content  (bins,)  what decides: expected entries in the smaller sample
    """
    starts: list[int] = []
    total, first = 0.0, 0
    for i, value in enumerate(np.asarray(content, dtype=np.float64)):
        total += float(value)
        if total >= minimum:
            starts.append(first)
            total, first = 0.0, i + 1
    return np.asarray(starts or [0], dtype=np.int64)


def _nothing_to_compare(bins: int) -> Outcome:
    return Outcome(0.0, 1.0, "chi2 (shape)", f"{bins} bin after merging: nothing to compare")


def shape_two_sample(data: ArrayLike, reference: ArrayLike, min_expected: float = 10.0) -> Outcome:
    """Do two histograms of counts come from one distribution?

    data, reference  (bins,)  entries, flow bins included; the totals may differ
    Bins are merged until the smaller sample expects ``min_expected`` entries in each.
    """
    n, m = np.asarray(data, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    _same_bins(n, m)
    total_n, total_m = float(n.sum()), float(m.sum())
    if total_n == 0 or total_m == 0:
        return Outcome(0.0, 1.0, "chi2 (shape)", "an empty histogram")
    total = total_n + total_m
    groups = merge_sparse((n + m) * min(total_n, total_m) / total, min_expected)
    bins = len(groups)
    if bins < 2:
        return _nothing_to_compare(bins)
    n, m = np.add.reduceat(n, groups), np.add.reduceat(m, groups)
    t, p = n + m, total_n / total
    statistic = float(np.sum((n - t * p) ** 2 / (t * p * (1 - p))))
    mean, variance = _contingency_moments(t, total_n, total_m)
    _, third = binomial_square_cumulants(t, p)
    # the third moment of independent binomials, for one degree of freedom less
    skewed = float(third.sum()) * (bins - 1) / bins
    p_value = pearson3_sf(statistic, mean, variance, skewed)
    return Outcome(statistic, p_value, "chi2 (shape)", f"{bins - 1} degrees of freedom")


def _contingency_moments(t: Floats, total_n: float, total_m: float) -> tuple[float, float]:
    """Exact mean and variance of the chi2 of a 2 x bins table with these margins (Dawson 1954)."""
    total, bins = total_n + total_m, len(t)
    mean = (bins - 1) * total / (total - 1)
    v_rows = (total - 2) / (total - 1)
    v_bins = (bins - 1) * (total - bins) / (total - 1)
    w_rows = (total * (1 / total_n + 1 / total_m) - 4) / (total - 2)
    w_bins = (total * float(np.sum(1 / t)) - bins**2) / (total - 2)
    variance = 2 * total / (total - 3) * (v_rows - w_rows) * (v_bins - w_bins)
    return mean, variance + total**2 / (total - 1) * w_rows * w_bins


def shape_against_model(
    data: ArrayLike, probabilities: ArrayLike, min_expected: float = 10.0
) -> Outcome:
    """Do counts follow exactly known bin probabilities (normalised here)?

    data  (bins,) entries; probabilities (bins,) >= 0, flow bins included.
    """
    n, p = np.asarray(data, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    _same_bins(n, p)
    total = float(n.sum())
    if total == 0:
        return Outcome(0.0, 1.0, "chi2 (shape, exact model)", "an empty histogram")
    p = p / p.sum()
    if np.any(n[p == 0] > 0):
        return Outcome(float("inf"), 0.0, "chi2 (shape, exact model)", "entries where none may be")
    groups = merge_sparse(p * total, min_expected)
    bins = len(groups)
    if bins < 2:
        return _nothing_to_compare(bins)
    n, expected = np.add.reduceat(n, groups), np.add.reduceat(p, groups) * total
    statistic = float(np.sum((n - expected) ** 2 / expected))
    inverse = float(np.sum(total / expected))
    variance = 2 * (bins - 1) + (inverse - bins**2 - 2 * bins + 2) / total
    _, third = poisson_square_cumulants(expected)
    skewed = float(third.sum()) * (bins - 1) / bins
    p_value = pearson3_sf(statistic, bins - 1.0, variance, skewed)
    return Outcome(
        statistic, p_value, "chi2 (shape, exact model)", f"{bins - 1} degrees of freedom"
    )


def shape_weighted(
    data: ArrayLike, data_sumw2: ArrayLike, reference: ArrayLike, reference_sumw2: ArrayLike,
    min_effective: float = 10.0,
) -> Outcome:  # fmt: skip
    """Do two weighted histograms have one shape?

    data, reference  (bins,) sums of weights; *_sumw2 (bins,) sums of squared weights.
    Bins are merged until both have ``min_effective`` equivalent entries, (sum w)^2 / sum w^2.
    Asymptotic: the chi2 law holds to some 10 % in p above 1e-3 with 25 equivalent entries a bin.
    """
    w1, w2 = np.asarray(data, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    v1 = np.asarray(data_sumw2, dtype=np.float64)
    v2 = np.asarray(reference_sumw2, dtype=np.float64)
    for other in (w2, v1, v2):
        _same_bins(w1, other)
    groups = _merge_effective(w1, v1, w2, v2, min_effective)
    bins = len(groups)
    if bins < 2 or w1.sum() == 0 or w2.sum() == 0:
        return _nothing_to_compare(bins)
    w1, w2, v1, v2 = (np.add.reduceat(column, groups) for column in (w1, w2, v1, v2))
    a, b = float(w1.sum()), float(w2.sum())
    size_a, size_b = a**2 / float(v1.sum()), b**2 / float(v2.sum())
    pooled = (w1 / a * size_a + w2 / b * size_b) / (size_a + size_b)
    covariance = _normalised_covariance(pooled, pooled * v1 / w1 / a)
    covariance += _normalised_covariance(pooled, pooled * v2 / w2 / b)
    difference = w1 / a - w2 / b
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    p_value = float(special.gammaincc((bins - 1) / 2, statistic / 2))
    return Outcome(statistic, p_value, "chi2 (shape, weighted)", f"{bins - 1} degrees of freedom")


def _normalised_covariance(f: Floats, v: Floats) -> Floats:
    """Covariance of a histogram divided by its total; v (bins,) variances over total squared."""
    mixed = np.outer(f, v)
    return np.asarray(np.diag(v) - mixed - mixed.T + np.outer(f, f) * v.sum(), dtype=np.float64)


def _merge_effective(w1: Floats, v1: Floats, w2: Floats, v2: Floats, minimum: float) -> Groups:
    starts, first = [], 0
    sums = np.zeros(4)
    for i in range(len(w1)):
        sums += (w1[i], v1[i], w2[i], v2[i])
        full = sums[1] > 0 and sums[3] > 0
        if full and sums[0] ** 2 / sums[1] >= minimum and sums[2] ** 2 / sums[3] >= minimum:
            starts.append(first)
            sums, first = np.zeros(4), i + 1
    return np.asarray(starts or [0], dtype=np.int64)


def _same_bins(a: Floats, b: Floats) -> None:
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(
            f"histograms of {a.shape} and {b.shape} bins",
            "only equal binnings can be compared",
            "bless a reference with the new binning",
        )
