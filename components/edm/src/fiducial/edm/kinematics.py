"""Four-momenta as columns. Double precision, units GeV and radian, metric (+, -, -, -)."""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.edm.arrays import Array, namespace

__all__ = ["FourVectors"]


@dataclass(frozen=True)
class FourVectors:
    """Four-momenta (px, py, pz, energy), each a float64 column of one shape."""

    px: Array
    py: Array
    pz: Array
    energy: Array

    @property
    def pt(self) -> Array:
        """Transverse momentum [GeV]."""
        return namespace(self.px).hypot(self.px, self.py)  # type: ignore[no-any-return]

    @property
    def p(self) -> Array:
        """Momentum [GeV]."""
        return namespace(self.px).hypot(self.pt, self.pz)  # type: ignore[no-any-return]

    @property
    def theta(self) -> Array:
        """Polar angle, 0 … pi."""
        return namespace(self.px).arctan2(self.pt, self.pz)  # type: ignore[no-any-return]

    @property
    def phi(self) -> Array:
        """Azimuth, -pi … pi."""
        return namespace(self.px).arctan2(self.py, self.px)  # type: ignore[no-any-return]

    @property
    def eta(self) -> Array:
        """Pseudorapidity; infinite along the beam, nan for no momentum."""
        xp = namespace(self.px)
        with xp.errstate(divide="ignore", invalid="ignore"):
            return xp.arcsinh(self.pz / self.pt)  # type: ignore[no-any-return]

    @property
    def mass_squared(self) -> Array:
        """energy^2 - p^2 [GeV^2]; below about 1e-16 energy^2 nothing but rounding is left."""
        px, py, pz, energy = self.px, self.py, self.pz, self.energy
        return energy * energy - (px * px + py * py + pz * pz)  # type: ignore[no-any-return]

    @property
    def mass(self) -> Array:
        """Invariant mass [GeV]; minus the root of its size where mass_squared is negative."""
        xp = namespace(self.px)
        squared = self.mass_squared
        return xp.copysign(xp.sqrt(abs(squared)), squared)  # type: ignore[no-any-return]

    def __add__(self, other: FourVectors) -> FourVectors:
        return FourVectors(
            self.px + other.px, self.py + other.py, self.pz + other.pz, self.energy + other.energy
        )

    def __sub__(self, other: FourVectors) -> FourVectors:
        return FourVectors(
            self.px - other.px, self.py - other.py, self.pz - other.pz, self.energy - other.energy
        )

    def __getitem__(self, rows: Array | slice | int) -> FourVectors:
        return FourVectors(self.px[rows], self.py[rows], self.pz[rows], self.energy[rows])

    def __len__(self) -> int:
        return len(self.px)
