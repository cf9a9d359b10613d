"""One false-alarm rate for a whole verdict: Holm's step-down procedure.

Holm, Scand. J. Statist. 6 (1979) 65. It needs no independence between the observables, which
share their events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values: rejecting those <= alpha holds the family-wise rate at alpha.

    p_values  (n,); the answer keeps their order.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
