"""Generated particles: energy from mass and momentum, status words."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from fiducial.edm.arrays import Array, namespace
from fiducial.edm.behaviours.particle import ParticleBehaviour
from fiducial.edm.kinematics import FourVectors

__all__ = ["GeneratorStatus", "MCParticleBehaviour", "SimulatorBit"]


class GeneratorStatus(IntEnum):
    """Values of generatorStatus that all generators share (HepMC's convention)."""

    FINAL = 1
    DECAYED = 2
    DOCUMENTATION = 3
    BEAM = 4


class SimulatorBit(IntEnum):
    """Bits of simulatorStatus, as in EDM4hep."""

    OVERLAY = 23
    STOPPED = 24
    LEFT_DETECTOR = 25
    DECAYED_IN_CALORIMETER = 26
    DECAYED_IN_TRACKER = 27
    VERTEX_IS_NOT_ENDPOINT_OF_PARENT = 28
    BACKSCATTER = 29
    CREATED_IN_SIMULATION = 30


class MCParticleBehaviour(ParticleBehaviour):
    __slots__ = ()

    @property
    def energy(self) -> Array:
        """Energy [GeV] on the mass shell: sqrt(p^2 + mass^2)."""
        x, y, z = self._three()
        mass = self.columns["mass"]
        return namespace(x).sqrt(x * x + y * y + z * z + mass * mass)  # type: ignore[no-any-return]

    @property
    def p4(self) -> FourVectors:
        """Four-momenta at production, on the mass shell."""
        return FourVectors(*self._three(), self.energy)

    @property
    def is_final(self) -> Array:
        """Whether the generator calls the particle final (n,) bool."""
        return self.columns["generatorStatus"] == GeneratorStatus.FINAL  # type: ignore[no-any-return]

    def has_bit(self, bit: SimulatorBit) -> Array:
        """Whether a bit of simulatorStatus is set (n,) bool."""
        return (self.columns["simulatorStatus"] & np.int32(1 << bit)) != 0  # type: ignore[no-any-return]
