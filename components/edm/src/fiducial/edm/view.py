"""A view: the columns under one name, as an object with attributes.

``particles.momentum`` is ``View(columns, "momentum.")``, and its ``.x`` is the column
``"momentum.x"`` itself. A view holds no data and copies none. The generator derives one
class with typed attributes from it for each component of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fiducial.core.errors import did_you_mean
from fiducial.edm.arrays import Array

__all__ = ["View"]


class View:
    """The columns whose names begin with ``prefix`` ("" or ending in a dot)."""

    __slots__ = ("_columns", "_prefix")

    def __init__(self, columns: Mapping[str, Array], prefix: str = "") -> None:
        self._columns = columns
        self._prefix = prefix

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns below this view, dotted."""
        n = len(self._prefix)
        return tuple(name[n:] for name in self._columns if name.startswith(self._prefix))

    def column(self, name: str) -> Array:
        """One column by its dotted name."""
        return self._columns[self._prefix + name]

    def __iter__(self) -> Iterator[Array]:
        """All columns, in the model's order: ``x, y, z = particles.momentum``."""
        return iter([self.column(name) for name in self.names])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if (full := self._prefix + name) in self._columns:
            return self._columns[full]
        if any(column.startswith(full + ".") for column in self._columns):
            return View(self._columns, full + ".")
        first = {column.split(".")[0]: None for column in self.names}
        raise AttributeError(f"no member {name!r}: {did_you_mean(name, list(first))}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *{name.split(".")[0] for name in self.names}]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {', '.join(self.names)}>"
