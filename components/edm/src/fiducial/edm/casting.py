"""One value as one column: the dtype and shape that the model wants, or a clear refusal.

A number serves all rows. Integers must lie in the range of the column. Numbers become the
nearest float; those too large for it are refused. A float never becomes an integer. An array
that already fits is taken as it is, without a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fiducial.edm.arrays import Array, namespace

__all__ = ["as_column", "as_counts"]

#: Kinds of dtype that a kind may become: bool, signed, unsigned, float.
_BECOMES = {"b": "biuf", "i": "iuf", "u": "iuf", "f": "f"}


def _as_array(value: Any) -> Array:
    return value if hasattr(value, "dtype") else np.asarray(value)


def _check_castable(value: Any, array: Array, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in _BECOMES.get(array.dtype.kind, ""):
        found = array.dtype if array.dtype.kind in "biufc" else type(value).__name__
        raise ValueError(f"{found} where {dtype} is expected")
    if dtype.kind in "iu" and array.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        least, most = int(array.min()), int(array.max())
        if least < limits.min or most > limits.max:
            raise ValueError(f"values {least} to {most} do not fit {dtype}")


def as_column(value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """``value`` as a contiguous array of ``dtype`` and ``shape``; ValueError says why not."""
    array = _as_array(value)
    if array.ndim and array.shape != shape and (array.size or shape[0]):
        raise ValueError(f"shape {array.shape}, expected {shape}")
    if array.dtype != dtype and array.size:
        _check_castable(value, array, dtype)
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise ValueError(f"{int(array.mask.sum())} values are missing (masked)")
    xp = namespace(array) if array.ndim else np
    try:
        with np.errstate(over="raise"):
            if array.ndim == 0:
                return xp.full(shape, array, dtype)  # type: ignore[no-any-return]
            column: Array = xp.ascontiguousarray(array, dtype=dtype)
            return column if column.shape == shape else column.reshape(shape)
    except FloatingPointError:
        raise ValueError(f"values up to {abs(array).max()} do not fit {dtype}") from None


def as_counts(value: Any, n: int | None) -> Array:
    """``value`` as ``n`` lengths of lists; ValueError says why not."""
    array = _as_array(value)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(f"counts are whole numbers, one a list, not {array.dtype} {array.shape}")
    if n is not None and len(array) != n:
        raise ValueError(f"{len(array)} counts for {n} objects")
    if array.size and array.min() < 0:
        raise ValueError(f"a count is negative: {array.min()}")
    return array
