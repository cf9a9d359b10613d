"""The settings of the particle gun's axes: a value, a list of values, or a range."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    model_validator,
)

from fiducial.core.errors import InputError

__all__ = ["Axis", "Range", "check_axis", "combinations", "take"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Range(BaseModel):
    """Numbers between min and max: flat, or flat in the logarithm with ``log: true``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: FiniteFloat
    max: FiniteFloat
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min < self.max:
            raise InputError(f"an empty range, {self.min:g} to {self.max:g}", None, "min < max")
        if self.log and self.min <= 0.0:
            raise InputError(f"a logarithmic range from {self.min:g}", None, "begin above 0")
        return self

    def at(self, unit: Floats) -> Floats:
        """The numbers at places (n,) of the unit interval."""
        if self.log:
            return np.asarray(self.min * np.exp(unit * math.log(self.max / self.min)))
        return np.asarray(self.min + unit * (self.max - self.min))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


def _form(value: Any) -> str:
    return "range" if isinstance(value, Mapping | Range) else "values"


Values = Annotated[tuple[FiniteFloat, ...], Field(min_length=1), BeforeValidator(_listed)]
Axis = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Values, Tag("values")], Discriminator(_form)
]


def check_axis(
    axis: Range | tuple[float, ...], allowed: Callable[[float], bool], rule: str
) -> None:
    """Raise InputError with the rule if a number of the axis is not allowed."""
    numbers = (axis.min, axis.max) if isinstance(axis, Range) else axis
    wrong = [f"{number:g}" for number in numbers if not allowed(number)]
    if wrong:
        raise InputError(f"{', '.join(wrong)} out of range", None, rule)


def combinations(axis: Range | tuple[float, ...]) -> int:
    """How many set values an axis has; a range counts as one, since it is drawn from."""
    return 1 if isinstance(axis, Range) else len(axis)


def take(axis: Range | tuple[float, ...], place: Ints | None, unit: Floats) -> Floats:
    """The axis' values: of a range at ``unit``; of a list those at ``place`` (n,), or if that is
    None, each drawn with equal probability by ``unit``."""
    if isinstance(axis, Range):
        return axis.at(unit)
    values = np.asarray(axis, dtype=np.float64)
    if place is None:
        place = (unit * len(values)).astype(np.int64)
    return values[place]
