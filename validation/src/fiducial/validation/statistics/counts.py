"""Comparison of counts: efficiencies and rates, by exact (hence conservative) tests.

Two-sided p-values are twice the smaller tail (Clopper & Pearson 1934; Fisher's exact test;
Przyborowski & Wilenski 1940). A discrete law cannot reach every p, so the false-alarm rate is at
most the stated one; it approaches it as counts grow.
"""

from __future__ import annotations

import math

from scipy import special, stats

from fiducial.validation.statistics.outcome import Outcome


def clopper_pearson(passed: int, total: int, level: float = 0.6827) -> tuple[float, float]:
    """The exact central confidence interval of an efficiency."""
    tail = (1 - level) / 2
    low = float(special.betaincinv(passed, total - passed + 1, tail)) if passed > 0 else 0.0
    full = passed == total
    high = 1.0 if full else float(special.betaincinv(passed + 1, total - passed, 1 - tail))
    return low, high


def _two_tails(lower: float, upper: float) -> float:
    return min(1.0, 2 * min(lower, upper))


def efficiency_against(passed: int, total: int, efficiency: float) -> Outcome:
    """Is the efficiency of ``passed`` out of ``total`` the known one? Exact binomial test."""
    lower = float(special.bdtr(passed, total, efficiency))
    upper = float(special.bdtrc(passed - 1, total, efficiency)) if passed > 0 else 1.0
    sigma = math.sqrt(total * efficiency * (1 - efficiency))
    z = (passed - total * efficiency) / sigma if sigma > 0 else 0.0
    return Outcome(z, _two_tails(lower, upper), "exact binomial", f"{passed} of {total}")


def efficiency_two_sample(
    passed: int, total: int, reference_passed: int, reference_total: int
) -> Outcome:
    """Have two samples one efficiency? Fisher's exact test."""
    law = stats.hypergeom(total + reference_total, passed + reference_passed, total)
    lower, upper = float(law.cdf(passed)), float(law.sf(passed - 1))
    n, share = total + reference_total, (passed + reference_passed) / (total + reference_total)
    variance = total * share * (1 - share) * reference_total / max(n - 1, 1)
    z = (passed - total * share) / math.sqrt(variance) if variance > 0 else 0.0
    return Outcome(z, _two_tails(lower, upper), "Fisher's exact test", f"{passed} of {total}")


def counts_two_sample(
    count: int, exposure: float, reference_count: int, reference_exposure: float
) -> Outcome:
    """Have two Poisson counts one rate, for exposures (events, luminosity) given? Exact."""
    total = count + reference_count
    share = exposure / (exposure + reference_exposure)
    answer = efficiency_against(count, total, share)
    return Outcome(
        answer.statistic, answer.p_value, "exact Poisson (conditional)", f"{count} entries"
    )
