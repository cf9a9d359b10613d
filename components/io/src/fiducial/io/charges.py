"""Charges from the PDG numbering scheme, for file formats that do not carry them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import particle.pdgid

__all__ = ["charges_of"]


def charges_of(pdg: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    """Charge [e] of each PDG number, (n,) float32; 0 for numbers outside the scheme."""
    if not len(pdg):
        return np.zeros(0, dtype=np.float32)
    different, which = np.unique(pdg, return_inverse=True)
    return np.array([_charge(int(number)) for number in different], dtype=np.float32)[which]


@cache
def _charge(number: int) -> float:
    charge = particle.pdgid.charge(number)
    return 0.0 if charge is None else float(charge)
