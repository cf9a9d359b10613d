# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""The kernel of one event in one calorimeter: towers, and what the tracks do not explain.

Deposits of an event are sorted by (cell, particle) and summed in that order, so a tower's
energy does not depend on threads. A tower's energy is smeared once, by a log-normal of the
resolution at its sum (see `track_response` for the rule and its bias), and dropped below the
card's thresholds. From it the energy of the tracks that point there is subtracted; what
remains becomes a neutral object where it passes min_energy and exceeds min_significance times
the error of the difference, sqrt(sigma_calorimeter^2 + sigma_tracks^2). Tracks keep their own
momentum: as in the paper of Delphes 3 (JHEP 02 (2014) 057, section 4.2) with the significance
test of later versions, and without those versions' averaging of tracks with towers.

Neglects: shower shapes (a particle hits one cell), leakage, noise in empty cells, timing.
"""

import math
from enum import IntEnum

import numpy as np
from numba import njit

from fiducial.core.random import normal_from_uniform, uniform_pair
from fiducial.simulation.lookup import (
    calorimeter_sigma,
    cell_polar,
    cell_region,
    log_normal,
    probability,
)
from fiducial.simulation.species import Species
from fiducial.simulation.tables import Cell, Where
from fiducial.simulation.track_response import Track

__all__ = ["TOWER_WIDTH", "Tower", "build_towers"]


class Tower(IntEnum):
    """Columns of a neutral object, `tower[k * TOWER_WIDTH + Tower.X]`."""

    ENERGY = 0  # [GeV]
    ETA = 1
    PHI = 2  # [rad]
    SIGMA = 3  # [GeV] of the energy
    SIGMA_THETA = 4  # [rad] of the position in the cell
    SIGMA_PHI = 5  # [rad]
    GOODNESS = 6  # probability that an object of this kind is called so
    DEPOSIT = 7  # [GeV] true energy deposited in the cell
    SIZE = 8


TOWER_WIDTH = int(Tower.SIZE)

_TW = int(Tower.SIZE)
_ENERGY = int(Tower.ENERGY)
_ETA = int(Tower.ETA)
_PHI = int(Tower.PHI)
_SIGMA = int(Tower.SIGMA)
_SIGMA_THETA = int(Tower.SIGMA_THETA)
_SIGMA_PHI = int(Tower.SIGMA_PHI)
_GOODNESS = int(Tower.GOODNESS)
_DEPOSIT = int(Tower.DEPOSIT)

_KW = int(Track.SIZE)
_TRACK_PT = int(Track.PT)
_TRACK_THETA = int(Track.THETA)
_TRACK_SIGMA = int(Track.SIGMA_PT)
_TRACK_ENERGY = int(Track.ENERGY)

_AT_FRACTIONS = int(Where.FRACTIONS)
_AT_PHOTON = int(Where.AS_PHOTON)
_AT_ECAL = int(Where.ECAL)
_FIRST = int(Cell.FIRST)
_STEP = int(Cell.STEP)
_IN_THETA = int(Cell.IN_THETA)
_N_PHI = int(Cell.N_PHI)
_ELECTRON = int(Species.electron)
_PHOTON = int(Species.photon)
_TWO_PI = 2.0 * math.pi
_PI = math.pi
_INDEX = 0xFFFFFFFF


@njit
def sort_keys(keys, first, size):
    """Sort keys[first : first + size] in place (Shell's method with Knuth's gaps)."""
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap >= 1:
        for i in range(first + gap, first + size):
            key = keys[i]
            j = i
            while j >= first + gap and keys[j - gap] > key:
                keys[j] = keys[j - gap]
                j -= gap
            keys[j] = key
        gap //= 3


@njit
def track_share(values, where, part, i, species, kind, track):
    """Energy [GeV] that track i leaves in a calorimeter, and its error; 0, 0 without a track."""
    if kind[i] < 0:
        return 0.0, 0.0
    share = values[where[_AT_FRACTIONS] + 2 * species[i] + part]
    at = i * _KW
    energy = track[at + _TRACK_ENERGY]
    p = track[at + _TRACK_PT] / math.sin(track[at + _TRACK_THETA])
    return share * energy, share * track[at + _TRACK_SIGMA] * p * p / energy


@njit
def build_towers(
    event,
    part,
    values,
    where,
    seed,
    event_numbers,
    firsts,
    energy,
    species,
    cells,
    kind,
    track,
    keys,
    tower,
    tower_pdg,
    tower_first,
    tower_size,
    n_towers,
    n_linked,
):
    """Build the neutral objects of one calorimeter in the event ``event``.

    part           0 ECAL, 1 HCAL
    seed           uint64  of this calorimeter
    firsts         (n_events + 1,) int64  offsets of the final-state particles
    energy … track              of the final-state particles, from `track_response`
    cells          (n,) int32  the cell each particle hits, -1 for none
    keys           (n,) int64  work space; out: cell and particle of each deposit, sorted
    tower          (n * TOWER_WIDTH,) float64  out: objects, from the event's first on
    tower_pdg      (n,) int32   out: 22 photon, 130 neutral hadron
    tower_first, tower_size  (n,) int32  out: an object's deposits in `keys`
    n_towers, n_linked  (n_events,) int64  out: objects, and deposits in them
    """
    first, last = firsts[event], firsts[event + 1]
    at = where[_AT_ECAL + part]
    size = 0
    for i in range(first, last):
        if cells[i] >= 0:
            keys[first + size] = (np.int64(cells[i]) << 32) | (i - first)
            size += 1
    sort_keys(keys, first, size)
    number = event_numbers[event]
    found, linked = 0, 0
    start = 0
    while start < size:
        cell = keys[first + start] >> 32
        deposit, tracks, tracks_variance, largest = 0.0, 0.0, 0.0, -1.0
        leading = 0
        stop = start
        while stop < size and (keys[first + stop] >> 32) == cell:
            i = first + (keys[first + stop] & _INDEX)
            share = energy[i] * values[where[_AT_FRACTIONS] + 2 * species[i] + part]
            deposit += share
            if share > largest:
                largest, leading = share, i
            tracked, error = track_share(values, where, part, i, species, kind, track)
            tracks += tracked
            tracks_variance += error * error
            stop += 1
        region = cell_region(values, at, cell)
        centre = cell_polar(values, region, cell, 0.5)
        sigma = calorimeter_sigma(values, region, abs(centre), deposit)
        u_energy, u_kind = uniform_pair(seed, number, cell, 0)
        seen = log_normal(deposit, sigma / deposit, normal_from_uniform(u_energy))
        sigma = calorimeter_sigma(values, region, abs(centre), seen)
        excess = seen - tracks
        error = math.sqrt(sigma * sigma + tracks_variance)
        least, significance = values[at], values[at + 1]
        if (
            seen >= least
            and seen >= significance * sigma
            and excess >= least
            and excess >= significance * error
            and excess > 0.0
        ):
            polar, turn = 0.5, 0.5
            spread = math.sqrt(1.0 / 12.0)
            if values[at + 2] != 0.0:
                polar, turn = uniform_pair(seed, number, cell, 1)
                spread = math.sqrt(1.0 / 6.0)
            eta = cell_polar(values, region, cell, polar)
            n_phi = int(values[region + _N_PHI])
            column = (cell - int(values[region + _FIRST])) % n_phi
            phi = (column + turn) * _TWO_PI / n_phi
            growth = math.exp(eta)
            sin_theta = 2.0 / (growth + 1.0 / growth)
            is_photon = False
            goodness = 1.0
            if part == 0:
                as_photon = probability(
                    values, where[_AT_PHOTON], abs(eta), excess, excess * sin_theta
                )
                fake = probability(
                    values, where[_AT_PHOTON + 1], abs(eta), excess, excess * sin_theta
                )
                electromagnetic = species[leading] == _PHOTON or species[leading] == _ELECTRON
                is_photon = u_kind < (as_photon if electromagnetic else fake)
                goodness = as_photon if is_photon else 1.0 - fake
            slot = first + found
            out = slot * _TW
            step = values[region + _STEP]
            tower[out + _ENERGY] = excess
            tower[out + _ETA] = eta
            tower[out + _PHI] = phi - _TWO_PI if phi > _PI else phi
            tower[out + _SIGMA] = error
            if values[region + _IN_THETA] == 0.0:
                step *= sin_theta  # d theta = sin(theta) d eta
            tower[out + _SIGMA_THETA] = spread * step
            tower[out + _SIGMA_PHI] = spread * _TWO_PI / n_phi
            tower[out + _GOODNESS] = goodness
            tower[out + _DEPOSIT] = deposit
            tower_pdg[slot] = 22 if is_photon else 130
            tower_first[slot] = start
            tower_size[slot] = stop - start
            found += 1
            linked += stop - start
        start = stop
    n_towers[event] = found
    n_linked[event] = linked
