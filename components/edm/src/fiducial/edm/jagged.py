"""The algebra of offsets: how many variable-length lists share one flat column.

List ``i`` of a jagged column is ``flat[offsets[i]:offsets[i + 1]]``. Offsets begin at 0 and
end at the length of the flat column. A set of *rows* is either a slice (then every gather
is a view) or an array of indices (then every gather is a copy); :func:`take` carries the
one kind from a level to the level below: events, their objects, the objects' relations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from fiducial.edm.arrays import OFFSET, Array, namespace

__all__ = [
    "Rows",
    "concatenate",
    "counts",
    "gather",
    "offsets",
    "owners",
    "rows_of_selection",
    "take",
]

#: Rows of a flat column: a contiguous slice (step 1) or an array of int64 indices.
Rows: TypeAlias = slice | Array


def offsets(counts: Array) -> Array:
    """Offsets (n + 1,) int64 of lists with the given lengths (n,)."""
    xp = namespace(counts)
    result = xp.zeros(len(counts) + 1, dtype=OFFSET)
    xp.cumsum(counts, out=result[1:])
    return result  # type: ignore[no-any-return]


def counts(offsets: Array) -> Array:
    """Lengths (n,) int64 of the lists."""
    return offsets[1:] - offsets[:-1]


def owners(offsets: Array) -> Array:
    """For every row of the flat column, the number of the list that it belongs to, (m,) int64."""
    xp = namespace(offsets)
    return xp.repeat(xp.arange(len(offsets) - 1, dtype=OFFSET), counts(offsets))  # type: ignore[no-any-return]


def take(offsets_in: Array, lists: Rows) -> tuple[Array, Rows]:
    """Pick lists: their new offsets, and the rows of the flat column that they cover.

    A slice of lists gives a slice of rows; indices of lists give indices of rows.
    """
    if isinstance(lists, slice):
        window = offsets_in[lists.start : lists.stop + 1]
        first = int(window[0])
        moved = window if first == 0 else window - first
        return moved, slice(first, int(window[-1]))
    xp = namespace(offsets_in)
    starts = offsets_in.take(lists)
    result = offsets(offsets_in.take(lists + 1) - starts)
    rows = xp.arange(int(result[-1]), dtype=OFFSET)
    rows += xp.repeat(starts - result[:-1], counts(result))
    return result, rows


def gather(column: Array, rows: Rows) -> Array:
    """The rows of a flat column: a view for a slice, a copy for indices."""
    # take is twice as fast as column[rows] in numpy
    return column[rows] if isinstance(rows, slice) else column.take(rows, axis=0)


def rows_of_selection(selection: slice | Array | Sequence[int] | Sequence[bool], n: int) -> Rows:
    """Rows among ``n`` chosen by a slice, a boolean mask (n,) or an array of indices.

    A run of neighbouring rows comes back as a slice, so that what follows is a view.
    Raises IndexError or ValueError, for the caller to dress.
    """
    if isinstance(selection, slice):
        start, stop, step = selection.indices(n)
        if step == 1:
            return slice(start, max(start, stop))
        return np.arange(start, stop, step, dtype=OFFSET)
    array: Array = selection if hasattr(selection, "dtype") else np.asarray(selection)  # type: ignore[assignment]
    xp = namespace(array)
    if array.ndim != 1:
        raise ValueError(f"a selection has one dimension, this one {array.ndim}")
    if array.dtype == bool:
        if len(array) != n:
            raise ValueError(f"the mask has {len(array)} entries for {n} rows")
        rows = xp.flatnonzero(array)
    elif array.size == 0:
        return slice(0, 0)
    elif array.dtype.kind in "iu":
        rows = array.astype(OFFSET)
        if rows.min() < -n or rows.max() >= n:
            raise IndexError(f"rows {rows.min()} to {rows.max()} asked of {n}")
        rows = xp.where(rows < 0, rows + n, rows)
    else:
        raise ValueError(f"a selection is a mask or indices, not {array.dtype}")
    if len(rows) == 0:
        return slice(0, 0)
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 == len(rows) and (array.dtype == bool or bool((xp.diff(rows) == 1).all())):
        return slice(first, last + 1)
    return rows  # type: ignore[no-any-return]


def concatenate(parts: Sequence[Array]) -> Array:
    """Offsets of several jagged columns written one behind another."""
    xp = namespace(parts[0])
    result = xp.empty(sum(len(part) - 1 for part in parts) + 1, dtype=OFFSET)
    result[0] = at = 0
    for part in parts:
        n = len(part) - 1
        xp.add(part[1:], result[at], out=result[at + 1 : at + 1 + n])
        at += n
    return result  # type: ignore[no-any-return]
