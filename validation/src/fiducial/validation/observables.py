"""Observables, declared beside each chain in ``chains/observables/<chain>.yaml``.

An observable says what is measured (a column of a table that a step of the chain fills), what it
guards, how it is compared, and where its reference comes from. Everything here is data, checked
when the file is read; docs/physics/reference-chains.md explains each choice of physics.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fiducial.core import config
from fiducial.core.errors import Mistake, Mistakes
from fiducial.validation.cuts import Cut


class Declared(BaseModel):
    """Base of every part of a declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Distribution(Declared):
    """A histogram; entries outside [low, high) are kept as under- and overflow."""

    kind: Literal["distribution"]
    column: str
    low: float
    high: float
    bins: int = Field(gt=0, le=1000)
    weight: str | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Distribution:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self


class Mean(Declared):
    """The mean of a column."""

    kind: Literal["mean"]
    column: str


class Peak(Declared):
    """Position or width of a peak, fitted in a window around it.

    gauss: a Gaussian. voigt: a Breit-Wigner of fixed width ``gamma`` [unit of the column]
    smeared with a Gaussian; ``width`` is then the Gaussian's. radiative: a Gaussian with the tail
    that soft photons make, of index ``gamma`` (see :mod:`fiducial.validation.fits`).
    """

    kind: Literal["peak"]
    column: str
    low: float
    high: float
    quantity: Literal["position", "width"] = "position"
    shape: Literal["gauss", "voigt", "radiative"] = "gauss"
    gamma: float = Field(default=0.0, ge=0.0)


class Fraction(Declared):
    """The fraction of the selected rows that pass further cuts."""

    kind: Literal["fraction"]
    passing: tuple[Cut, ...] = Field(min_length=1)


class Ratio(Declared):
    """``scale`` times the ratio of the numbers of rows in two disjoint selections."""

    kind: Literal["ratio"]
    numerator: tuple[Cut, ...] = Field(min_length=1)
    denominator: tuple[Cut, ...] = Field(min_length=1)
    scale: float = Field(default=1.0, gt=0)


class Asymmetry(Declared):
    """(N+ - N-) / (N+ + N-) of a column's sign."""

    kind: Literal["asymmetry"]
    column: str


class CrossSection(Declared):
    """sum(weight_sum) / sum(trials) [pb] of GeneratorTrials."""

    kind: Literal["cross_section"]
    trials: str = "trials"
    weight_sum: str = "weight_sum"
    weight_squared_sum: str = "weight_squared_sum"


class Profile(Declared):
    """A quantity at each value of one or two columns (the settings of a particle gun).

    mean, spread (Gaussian standard deviation) of ``column``; fraction of rows ``passing``.
    Columns of ``by`` are rounded to three decimals (1 MeV, 1 mrad) to tell settings apart.
    """

    kind: Literal["profile"]
    by: tuple[str, ...] = Field(min_length=1, max_length=2)
    of: Literal["mean", "spread", "fraction"]
    column: str | None = None
    passing: tuple[Cut, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Profile:
        if self.of == "fraction" and not self.passing:
            raise ValueError("a profile of a fraction needs 'passing'")
        if self.of != "fraction" and self.column is None:
            raise ValueError(f"a profile of a {self.of} needs 'column'")
        return self


Measure = Annotated[
    Distribution | Mean | Peak | Fraction | Ratio | Asymmetry | CrossSection | Profile,
    Field(discriminator="kind"),
]


class Tolerant(Declared):
    """What a published or analytic value must say about the model that is compared with it.

    tolerance         largest difference between model and reference that is no fault,
                      absolute, in the unit of the observable
    tolerance_reason  why, and why not less
    """

    tolerance: float = Field(default=0.0, ge=0.0)
    tolerance_reason: str | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Tolerant:
        if self.tolerance and not self.tolerance_reason:
            raise ValueError(f"tolerance {self.tolerance:g} without tolerance_reason")
        return self


class Published(Tolerant):
    """A measured value from the literature."""

    kind: Literal["published"]
    value: float
    error: float = Field(ge=0.0)
    source: str
    doi: str


class Analytic(Tolerant):
    """A closed formula, by its name in :mod:`fiducial.validation.formulas`.

    with   its parameters
    grid   for profiles: the values of each column of ``by``; all combinations are expected
    """

    kind: Literal["analytic"]
    formula: str
    with_: dict[str, float | str] = Field(default_factory=dict, alias="with")
    grid: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    source: str


class Blessed(Declared):
    """An earlier run of the chain, larger and with another seed, looked at and approved."""

    kind: Literal["blessed"]


Reference = Annotated[Published | Analytic | Blessed, Field(discriminator="kind")]
Comparison = Literal["chi2", "ks", "welch", "pull", "efficiency", "points"]

_POSSIBLE: dict[str, dict[str, tuple[str, ...]]] = {
    "distribution": {"blessed": ("chi2", "ks"), "analytic": ("chi2", "ks")},
    "mean": {"blessed": ("welch",), "published": ("pull",), "analytic": ("pull",)},
    "peak": {"blessed": ("pull",), "published": ("pull",), "analytic": ("pull",)},
    "fraction": {"blessed": ("efficiency",), "analytic": ("efficiency",), "published": ("pull",)},
    "ratio": {"blessed": ("pull",), "published": ("pull",), "analytic": ("pull",)},
    "asymmetry": {"blessed": ("pull",), "published": ("pull",), "analytic": ("pull",)},
    "cross_section": {"blessed": ("pull",), "published": ("pull",), "analytic": ("pull",)},
    "profile": {"analytic": ("points",), "blessed": ("points",)},
}


class Observable(Declared):
    """One check of a chain."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    axis: str
    guards: str
    table: str
    where: tuple[Cut, ...] = ()
    measure: Measure
    comparison: Comparison
    reference: Reference
    min_entries: int = Field(default=50, ge=2)
    min_expected: float = Field(default=10.0, ge=5.0)

    @model_validator(mode="after")
    def _comparable(self) -> Observable:
        allowed = _POSSIBLE[self.measure.kind].get(self.reference.kind, ())
        if self.comparison not in allowed:
            choice = " or ".join(allowed) or "no comparison"
            raise ValueError(
                f"{self.measure.kind} with a {self.reference.kind} reference is compared by "
                f"{choice}, not by '{self.comparison}'"
            )
        weighted = isinstance(self.measure, Distribution) and self.measure.weight is not None
        if weighted and (self.comparison == "ks" or self.reference.kind != "blessed"):
            raise ValueError("weighted distributions are compared by chi2 with a blessed reference")
        return self


class ChainObservables(Declared):
    """The content of ``chains/observables/<chain>.yaml``."""

    chain: str
    observables: tuple[Observable, ...] = Field(min_length=1)


def load_observables(path: Path) -> tuple[Observable, ...]:
    """Read a declaration file; all mistakes at once."""
    declared = config.load(path, ChainObservables)
    mistakes = []
    expected = path.stem
    if declared.chain != expected:
        mistakes.append(Mistake(f"{path}: chain", f"'{declared.chain}' in a file for '{expected}'"))
    mistakes += [
        Mistake(f"{path}: observables", f"two observables are called '{name}'")
        for name in _doubles([observable.name for observable in declared.observables])
    ]
    if mistakes:
        raise Mistakes(mistakes)
    return declared.observables


def _doubles(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
