"""Packed covariances: the lower triangle row by row, (i, j) at i (i + 1) / 2 + j for j <= i."""

from __future__ import annotations

from enum import IntEnum
from math import isqrt

import numpy as np

from fiducial.core.errors import InputError
from fiducial.edm.arrays import Array, namespace

__all__ = ["FourMomentumIndex", "dimension", "element", "pack", "place", "unpack"]


class FourMomentumIndex(IntEnum):
    """Rows of the covariance of a four-momentum."""

    PX = 0
    PY = 1
    PZ = 2
    ENERGY = 3


def dimension(packed: int) -> int:
    """Rows of the matrix whose triangle has ``packed`` elements."""
    d = (isqrt(8 * packed + 1) - 1) // 2
    if d * (d + 1) // 2 != packed:
        raise InputError(
            f"{packed} numbers are no triangle of a matrix", hint="3, 6, 10, 21, … are"
        )
    return d


def place(i: int, j: int) -> int:
    """Where element (i, j) stands in the packed triangle."""
    i, j = max(i, j), min(i, j)
    return i * (i + 1) // 2 + j


def element(packed: Array, i: int, j: int) -> Array:
    """The column of element (i, j) of packed matrices (n, d (d + 1) / 2): a view, (n,)."""
    d = dimension(packed.shape[-1])
    if not (0 <= i < d and 0 <= j < d):
        raise InputError(f"no element ({i}, {j}) in a {d} x {d} covariance")
    return packed[..., place(i, j)]  # type: ignore[no-any-return]


def unpack(packed: Array) -> Array:
    """Full symmetric matrices (n, d, d) of packed ones."""
    d = dimension(packed.shape[-1])
    index = np.array([[place(i, j) for j in range(d)] for i in range(d)])
    return packed[..., index]  # type: ignore[no-any-return]


def pack(matrices: Array) -> Array:
    """The lower triangles (n, d (d + 1) / 2) of matrices (n, d, d)."""
    rows, columns = namespace(matrices).tril_indices(matrices.shape[-1])
    return matrices[..., rows, columns]  # type: ignore[no-any-return]
