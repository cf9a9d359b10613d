"""Comparisons with stated p-values, and their family-wise combination.

Every function returns an :class:`Outcome`. Under the null hypothesis its p-value is uniform, or
stochastically larger (conservative) where the docstring says so; the tests measure both.
"""

from fiducial.validation.statistics.chi2 import (
    merge_sparse,
    shape_against_model,
    shape_two_sample,
    shape_weighted,
)
from fiducial.validation.statistics.counts import (
    clopper_pearson,
    counts_two_sample,
    efficiency_against,
    efficiency_two_sample,
)
from fiducial.validation.statistics.family import holm
from fiducial.validation.statistics.ks import ks_against_model, ks_two_sample
from fiducial.validation.statistics.outcome import Outcome
from fiducial.validation.statistics.points import combine_points
from fiducial.validation.statistics.scalar import pull, spread_against, welch

__all__ = [
    "Outcome",
    "clopper_pearson",
    "combine_points",
    "counts_two_sample",
    "efficiency_against",
    "efficiency_two_sample",
    "holm",
    "ks_against_model",
    "ks_two_sample",
    "merge_sparse",
    "pull",
    "shape_against_model",
    "shape_two_sample",
    "shape_weighted",
    "spread_against",
    "welch",
]
