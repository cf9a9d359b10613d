"""The array namespace: numpy now, cupy without a change of code.

Every function of this package takes the namespace from the array that it is given
(:func:`namespace`), so a batch whose columns live on a GPU stays there. Only numpy is
tested today.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["OFFSET", "Array", "namespace", "same_bytes"]

#: One column. Written as numpy's type; a cupy array quacks alike.
Array: TypeAlias = npt.NDArray[Any]

#: The dtype of every array of offsets.
OFFSET = np.dtype(np.int64)


def namespace(array: Array) -> Any:
    """The module (numpy, cupy) that ``array`` belongs to."""
    if isinstance(array, np.ndarray):
        return np
    return sys.modules[type(array).__module__.partition(".")[0]]


def same_bytes(a: Array, b: Array) -> bool:
    """Whether two contiguous columns hold the same bits: nan equals nan, 0.0 differs from -0.0."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a is b or a.size == 0:
        return True
    word = np.dtype(f"u{min(a.dtype.itemsize, 8)}")
    return bool((a.view(word) == b.view(word)).all())
