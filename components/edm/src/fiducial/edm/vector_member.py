"""Members with any number of entries an object: weights of an event, states of a track."""

from __future__ import annotations

from collections.abc import Mapping

from fiducial.core.errors import InputError
from fiducial.edm import jagged
from fiducial.edm.arrays import Array, namespace, same_bytes
from fiducial.edm.jagged import Rows
from fiducial.edm.view import View

__all__ = ["VectorMember"]


class VectorMember(View):
    """Jagged columns below the objects of a collection.

    offsets  (n + 1,) int64   entries of object i are offsets[i] … offsets[i + 1]
    columns  {"": (m,)} for plain numbers, {"D0": (m,), "referencePoint.x": (m,), …} for components,
             whose columns are also attributes: ``tracks.trackStates.D0``
    """

    __slots__ = ("offsets",)

    def __init__(self, offsets: Array, columns: Mapping[str, Array]) -> None:
        super().__init__(dict(columns))
        self.offsets = offsets

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns by name."""
        return self._columns

    @property
    def values(self) -> Array:
        """The one column (m,) of a vector of plain numbers."""
        try:
            return self._columns[""]
        except KeyError:
            raise InputError(
                "this vector member has no single column of values",
                f"its elements have the members {', '.join(self._columns)}",
                "ask for one of these by name",
            ) from None

    @property
    def counts(self) -> Array:
        """Entries of each object, (n,) int64."""
        return jagged.counts(self.offsets)

    @property
    def nbytes(self) -> int:
        return self.offsets.nbytes + sum(column.nbytes for column in self._columns.values())

    def __len__(self) -> int:
        """The number of entries of all objects together."""
        return int(self.offsets[-1])

    def take(self, rows: Rows) -> VectorMember:
        """The entries of the objects ``rows``."""
        offsets, entries = jagged.take(self.offsets, rows)
        return VectorMember(
            offsets, {name: jagged.gather(col, entries) for name, col in self._columns.items()}
        )

    @staticmethod
    def concatenate(parts: list[VectorMember]) -> VectorMember:
        xp = namespace(parts[0].offsets)
        return VectorMember(
            jagged.concatenate([part.offsets for part in parts]),
            {name: xp.concatenate([p.columns[name] for p in parts]) for name in parts[0].columns},
        )

    def same(self, other: VectorMember) -> bool:
        """Whether both hold the same bits."""
        return same_bytes(self.offsets, other.offsets) and all(
            same_bytes(column, other.columns[name]) for name, column in self._columns.items()
        )
