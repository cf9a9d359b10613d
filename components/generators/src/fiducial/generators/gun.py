"""The step ``gun``: single particles at set or random momenta and directions.

In mode ``grid`` the lists of species, momenta, angles and azimuths make N combinations and
particle j of event k takes number (k n + j) mod N, n being the particles an event, so that all
are populated evenly; the species changes fastest, then the momentum, the angle, the azimuth. In
mode ``random`` each list is drawn from with equal probability. Ranges are drawn from in both.

Particles start at ``vertex`` with helicity unknown and are never at rest. Random numbers are
keyed by (seed, event, particle, draw): an event is the same however the run is split.
"""

from collections.abc import Mapping
from enum import IntEnum
from functools import partial
from math import pi
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from numba import njit
from pydantic import AfterValidator, Field, FiniteFloat, ValidationInfo, field_validator

from fiducial.core.device import launch
from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.core.random import uniform
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.edm.steps import Producer
from fiducial.generators.gun_axes import Axis, Range, check_axis, combinations, take
from fiducial.generators.species import free_particle

__all__ = ["Gun"]

Floats = npt.NDArray[np.float64]


class Draw(IntEnum):
    """What the random numbers of a particle are for."""

    SPECIES = 0
    MOMENTUM = 1
    ANGLE = 2
    PHI = 3


@njit
def draw_particle(i, seed, first, per_event, unit):  # type: ignore[no-untyped-def]
    """The random numbers of particle ``i`` of the range that begins with event ``first``.

    unit  (n, 4) float64  out: uniform in (0, 1), by :class:`Draw`
    """
    event = first + i // per_event
    item = i % per_event
    for draw in range(4):
        unit[i, draw] = uniform(seed, event, item, draw)


def _known(pdg: int) -> int:
    return free_particle(pdg).pdg


class Gun(Producer):
    """Single particles.

    particles   PDG codes
    momentum | energy | pt      one of them [GeV]: a value, a list, or {min, max, log}; energy is
                                the total energy
    theta | cos_theta | eta     one of them [radian for theta]: likewise
    phi         [radian], default the whole circle
    vertex      [mm], time [ns]: where and when the particles start
    per_event   particles in an event
    mode        grid | random
    """

    summary: ClassVar[str] = "single particles at set or random momenta and directions"

    particles: Annotated[tuple[Annotated[int, AfterValidator(_known)], ...], Field(min_length=1)]
    momentum: Axis | None = None
    energy: Axis | None = None
    pt: Axis | None = Field(default=None, validate_default=True)
    theta: Axis | None = None
    cos_theta: Axis | None = None
    eta: Axis | None = Field(default=None, validate_default=True)
    phi: Axis = Range(min=-pi, max=pi)
    vertex: tuple[FiniteFloat, FiniteFloat, FiniteFloat] = (0.0, 0.0, 0.0)
    time: FiniteFloat = 0.0
    per_event: Annotated[int, Field(ge=1)] = 1
    mode: Literal["grid", "random"] = "grid"

    @field_validator("momentum", "energy", "pt", "theta", "cos_theta", "eta", "phi")
    @classmethod
    def _in_range(cls, axis: Any, info: ValidationInfo) -> Any:
        if axis is not None:
            match info.field_name:
                case "theta":
                    check_axis(axis, lambda x: 0.0 <= x <= pi, "theta lies in 0 to pi (radian)")
                case "cos_theta":
                    check_axis(axis, lambda x: -1.0 <= x <= 1.0, "cos_theta lies in -1 to 1")
                case "eta":
                    check_axis(axis, lambda x: abs(x) <= 20.0, "eta lies in -20 to 20")
                case "phi":
                    check_axis(axis, lambda x: abs(x) <= 2 * pi, "phi lies in -2 pi to 2 pi")
                case name:
                    check_axis(axis, lambda x: x > 0.0, f"{name} is above 0 (GeV)")
        return axis

    @field_validator("energy")
    @classmethod
    def _above_mass(cls, energy: Any, info: ValidationInfo) -> Any:
        if energy is None:
            return energy
        least = energy.min if isinstance(energy, Range) else min(energy)
        heavy = [free_particle(pdg) for pdg in info.data.get("particles", ())]
        mistakes = [
            Mistake(
                "",
                f"{least:g} GeV is not above the mass of {p.name}",
                f"take more than {p.mass:g} GeV",
            )
            for p in dict.fromkeys(heavy)
            if least <= p.mass
        ]
        if mistakes:
            raise Mistakes(mistakes)
        return energy

    @field_validator("pt")
    @classmethod
    def _one_size(cls, pt: Any, info: ValidationInfo) -> Any:
        _exactly_one(("momentum", "energy", "pt"), pt, info)
        return pt

    @field_validator("eta")
    @classmethod
    def _one_angle(cls, eta: Any, info: ValidationInfo) -> Any:
        _exactly_one(("theta", "cos_theta", "eta"), eta, info)
        if info.data.get("pt") is not None:
            rule = "with pt the particle must not fly along the beam"
            for name, end in (("theta", pi), ("cos_theta", 1.0)):
                axis = info.data.get(name)
                if axis is not None:
                    beam = (end, 0.0 if name == "theta" else -1.0)
                    check_axis(axis, partial(_is_off, beam), rule)
        return eta

    @property
    def outputs(self) -> Mapping[str, str]:
        return {
            "EventHeader": EventHeaderCollection.type_name,
            "MCParticles": MCParticleCollection.type_name,
        }

    @property
    def n_combinations(self) -> int:
        """How many combinations of set values there are in mode ``grid``."""
        return int(np.prod(self._radices()))

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        """Events ``first`` … ``first + count - 1``: EventHeader, MCParticles."""
        n = count * self.per_event
        unit = np.empty((n, len(Draw)))
        launch(draw_particle, n, np.uint64(seed), first, self.per_event, unit)
        places = self._places(first, n)

        species = [free_particle(pdg) for pdg in self.particles]
        which = take(
            tuple(float(i) for i in range(len(species))), places[0], unit[:, Draw.SPECIES]
        ).astype(np.int64)
        mass = np.array([p.mass for p in species])[which]
        size = take(self._size(), places[1], unit[:, Draw.MOMENTUM])
        cos, sin = self._direction(take(self._angle(), places[2], unit[:, Draw.ANGLE]))
        phi = take(self.phi, places[3], unit[:, Draw.PHI])
        if self.energy is not None:
            size = np.sqrt((size - mass) * (size + mass))
        transverse = size if self.pt is not None else size * sin
        along = size * cos / sin if self.pt is not None else size * cos

        one = np.ones(count, dtype=np.int64)
        header = EventHeaderCollection.build(
            counts=one, eventNumber=np.arange(first, first + count, dtype=np.uint64), weight=1.0
        )
        particles = MCParticleCollection.build(
            counts=one * self.per_event,
            PDG=np.array(self.particles, dtype=np.int32)[which],
            generatorStatus=1,
            charge=np.array([p.charge for p in species], dtype=np.float32)[which],
            time=np.float32(self.time),
            mass=mass,
            vertex=self.vertex,
            momentum=(transverse * np.cos(phi), transverse * np.sin(phi), along),
        )
        return EventBatch({"EventHeader": header, "MCParticles": particles})

    def _size(self) -> Range | tuple[float, ...]:
        return next(a for a in (self.momentum, self.energy, self.pt) if a is not None)

    def _angle(self) -> Range | tuple[float, ...]:
        return next(a for a in (self.theta, self.cos_theta, self.eta) if a is not None)

    def _radices(self) -> tuple[int, int, int, int]:
        axes = (self._size(), self._angle(), self.phi)
        momenta, angles, phis = (combinations(axis) for axis in axes)
        return len(self.particles), momenta, angles, phis

    def _places(self, first: int, n: int) -> list[npt.NDArray[np.int64] | None]:
        """The place on each axis' list of n particles; None where it is drawn."""
        if self.mode == "random":
            return [None] * 4
        number = first * self.per_event + np.arange(n, dtype=np.int64)
        places: list[npt.NDArray[np.int64] | None] = []
        for radix in self._radices():
            number, place = np.divmod(number, radix)
            places.append(place)
        return places

    def _direction(self, angle: Floats) -> tuple[Floats, Floats]:
        """Cosine and sine of the polar angle."""
        if self.theta is not None:
            return np.cos(angle), np.sin(angle)
        if self.cos_theta is not None:
            return angle, np.sqrt((1.0 - angle) * (1.0 + angle))
        return np.tanh(angle), 1.0 / np.cosh(angle)


def _is_off(forbidden: tuple[float, ...], number: float) -> bool:
    return number not in forbidden


def _exactly_one(names: tuple[str, ...], last: Any, info: ValidationInfo) -> None:
    """Refuse none or several of ``names``; a name that is missing from the data was given wrong."""
    values = {name: info.data.get(name, "wrong") for name in names[:-1]} | {names[-1]: last}
    given = [name for name, value in values.items() if value is not None]
    if len(given) != 1:
        listed = ", ".join(names)
        found = "none" if not given else " and ".join(given)
        raise InputError(f"one of {listed} is needed, {found} is given", None, "give exactly one")
