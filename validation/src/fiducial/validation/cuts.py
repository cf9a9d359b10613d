"""Selections on table columns, as data: no expression is ever evaluated.

``{column: n_muons, at_least: 2}`` keeps rows with n_muons >= 2. Cuts of a list are joined by
"and". Columns are compared as they are; ``absolute: true`` compares the magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from fiducial.core.errors import InputError, nearest

Table = Mapping[str, NDArray[np.generic]]


class Cut(BaseModel):
    """One condition or several on one column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    absolute: bool = False
    equals: float | None = None
    not_equals: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Cut:
        if not self.conditions:
            raise ValueError(
                f"the cut on '{self.column}' has no condition: give one of {', '.join(_TESTS)}"
            )
        return self

    @property
    def conditions(self) -> dict[str, float]:
        """The conditions that are set."""
        return {name: value for name in _TESTS if (value := getattr(self, name)) is not None}

    def select(self, table: Table) -> NDArray[np.bool_]:
        """Which rows pass."""
        values = column(table, self.column)
        values = np.abs(values) if self.absolute else values
        keep = np.ones(len(values), dtype=bool)
        for name, bound in self.conditions.items():
            keep &= _TESTS[name](values, bound)
        return keep

    def __str__(self) -> str:
        name = f"|{self.column}|" if self.absolute else self.column
        return " and ".join(f"{name} {_SIGNS[k]} {v:g}" for k, v in self.conditions.items())


_TESTS = {
    "equals": np.equal,
    "not_equals": np.not_equal,
    "at_least": np.greater_equal,
    "at_most": np.less_equal,
    "above": np.greater,
    "below": np.less,
}
_SIGNS = dict(zip(_TESTS, ("=", "≠", "≥", "≤", ">", "<"), strict=True))


class MissingColumn(InputError):  # noqa: N818
    """A table lacks a column that an observable needs."""


def column(table: Table, name: str) -> NDArray[np.float64]:
    """A column as float64; :class:`MissingColumn` with the nearest names where it is absent."""
    if name not in table:
        close = nearest(name, table)
        hint = f"did you mean {' or '.join(close)}?" if close else None
        raise MissingColumn(f"no column '{name}'", f"the table has {', '.join(table)}", hint)
    return np.asarray(table[name], dtype=np.float64)


def select(table: Table, cuts: Sequence[Cut]) -> NDArray[np.bool_]:
    """Rows that pass all cuts."""
    rows = len(next(iter(table.values()))) if table else 0
    keep = np.ones(rows, dtype=bool)
    for cut in cuts:
        keep &= cut.select(table)
    return keep
