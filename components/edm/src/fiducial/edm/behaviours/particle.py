"""What every kind of particle can do: directions, transverse momentum, sums over an event."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from fiducial.core.errors import InputError
from fiducial.edm.arrays import Array, namespace
from fiducial.edm.collection import Collection
from fiducial.edm.kinematics import FourVectors

__all__ = ["ParticleBehaviour"]


class ParticleBehaviour(Collection):
    """Kinematics from the columns momentum.x, .y, .z; float64, GeV and radian."""

    __slots__ = ()

    @property
    @abstractmethod
    def p4(self) -> FourVectors:
        """Four-momenta."""

    def _three(self) -> tuple[Array, Array, Array]:
        x, y, z = (
            self.columns[f"momentum.{axis}"].astype(np.float64, copy=False) for axis in "xyz"
        )
        return x, y, z

    @property
    def pt(self) -> Array:
        """Transverse momentum [GeV]."""
        x, y, _ = self._three()
        return namespace(x).hypot(x, y)  # type: ignore[no-any-return]

    @property
    def p(self) -> Array:
        """Momentum [GeV]."""
        x, y, z = self._three()
        return namespace(x).sqrt(x * x + y * y + z * z)  # type: ignore[no-any-return]

    @property
    def theta(self) -> Array:
        """Polar angle of the momentum, 0 … pi."""
        x, y, z = self._three()
        xp = namespace(x)
        return xp.arctan2(xp.hypot(x, y), z)  # type: ignore[no-any-return]

    @property
    def phi(self) -> Array:
        """Azimuth of the momentum, -pi … pi."""
        x, y, _ = self._three()
        return namespace(x).arctan2(y, x)  # type: ignore[no-any-return]

    def sum_by_event(self, values: Array) -> Array:
        """Sums (n_events,) float64 of values (n,), added in the order of the objects.

        An event's sum does not depend on the other events of the batch.
        """
        if len(values) != len(self):
            raise InputError(f"{len(values)} values for {len(self)} objects")
        return namespace(values).bincount(self.events, values, self.n_events)  # type: ignore[no-any-return]

    def total_charge(self, mask: Array | None = None) -> Array:
        """Sum of the charges [e] of each event's objects (n_events,), of those in ``mask`` (n,)."""
        charge = self.columns["charge"]
        return self.sum_by_event(charge if mask is None else charge * mask)
