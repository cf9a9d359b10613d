"""Reconstructed particles: four-momenta as measured, and their covariance."""

from __future__ import annotations

import numpy as np

from fiducial.edm import covariance
from fiducial.edm.arrays import Array
from fiducial.edm.behaviours.particle import ParticleBehaviour
from fiducial.edm.kinematics import FourVectors

__all__ = ["ReconstructedParticleBehaviour"]


class ReconstructedParticleBehaviour(ParticleBehaviour):
    __slots__ = ()

    @property
    def p4(self) -> FourVectors:
        """Four-momenta from the columns energy and momentum, which nothing forces onto ``mass``."""
        return FourVectors(*self._three(), self.columns["energy"].astype(np.float64))

    def covariance(self, i: int, j: int) -> Array:
        """Element (i, j) of the covariance of (px, py, pz, E) [GeV^2]: a view, (n,) float32."""
        return covariance.element(self.columns["covMatrix"], i, j)

    def covariance_matrix(self) -> Array:
        """Full covariance matrices of (px, py, pz, E), (n, 4, 4) float32 [GeV^2]."""
        return covariance.unpack(self.columns["covMatrix"])
