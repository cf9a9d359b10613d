"""Charged multiplicity of the generator record, by the convention of the LEP experiments.

A particle counts if it is charged and its kind lives longer than 0.3 ns on average (e, mu, pi, K,
p), and if no particle that lives so long is among its ancestors. So the products of K0S and of the
hyperons count, those of K+-, pi+- and K0L do not, whether or not the generator decayed them.
Convention: OPAL, Eur. Phys. J. C 40 (2005) 287; lifetimes: PDG 2024.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fiducial.core import device
from fiducial.core.errors import InputError

# Kinds that decay within 0.3 ns and that some generators leave undecayed.
SHORT_LIVED = (310, 3122, 3112, 3222, 3312, 3322, 3334)


@njit
def lives_long(pdg: int) -> bool:
    """Whether the mean lifetime exceeds 0.3 ns, neutral kinds included."""
    kind = abs(pdg)
    return kind in (11, 13, 211, 321, 130, 2212, 2112)


@njit
def multiplicity_kernel(
    i: int, offsets: Any, pdg: Any, status: Any, charge: Any,
    parent_offsets: Any, parent_index: Any, multiplicity: Any, undecayed: Any,
) -> None:  # fmt: skip
    """Charged multiplicity of event ``i``.

    offsets          (n_events + 1,) int64
    pdg, status      (n,) int32            status 1 final, 2 decayed (others are no particles)
    charge           (n,) float32 [e]
    parent_offsets   (n + 1,) int64; parent_index (m,) int32, local to the event
    multiplicity     (n_events,) int64     out
    undecayed        (n_events,) int64     out: final particles of a kind in SHORT_LIVED
    """
    first = offsets[i]
    count = 0
    short = 0
    for a in range(first, offsets[i + 1]):
        if status[a] != 1 and status[a] != 2:
            continue
        kind = abs(pdg[a])
        if status[a] == 1 and (
            kind == 310 or kind == 3122 or kind == 3112 or kind == 3222
            or kind == 3312 or kind == 3322 or kind == 3334
        ):  # fmt: skip
            short += 1
        if charge[a] == 0.0 or not lives_long(pdg[a]):
            continue
        # a decay has one parent; where there are more, the parents are partons or beams
        secondary = False
        b = a
        while parent_offsets[b + 1] - parent_offsets[b] == 1:
            b = first + parent_index[parent_offsets[b]]
            if status[b] == 2 and abs(pdg[b]) != 11 and lives_long(pdg[b]):
                secondary = True
                break
        if not secondary:
            count += 1
    multiplicity[i] = count
    undecayed[i] = short


def charged_multiplicity(particles: Any) -> NDArray[np.int64]:
    """Charged multiplicity (n_events,) of an MCParticle collection.

    Raises InputError where the record leaves short-lived particles undecayed, since their
    products cannot be counted.
    """
    events = len(particles.offsets) - 1
    count, undecayed = np.zeros(events, np.int64), np.zeros(events, np.int64)
    parents = particles.parents
    device.launch(
        multiplicity_kernel, events, particles.offsets, particles.PDG, particles.generatorStatus,
        particles.charge, parents.offsets, parents.index, count, undecayed,
    )  # fmt: skip
    if undecayed.any():
        raise InputError(
            f"{int(undecayed.sum())} K0S or hyperons are final in the record",
            "the multiplicity counts their decay products",
            "let the generator decay particles that live less than 0.3 ns",
        )
    return count
