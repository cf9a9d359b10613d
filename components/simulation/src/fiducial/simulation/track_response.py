# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""The kernel of one particle: where it meets the calorimeters, whether and how it is tracked.

A particle that the tracking efficiency lets through becomes a track: transverse momentum
smeared by a log-normal (see below), d0, z0, phi and theta by Gaussians, around the perigee of
its helix relative to the beam spot. Its identity is drawn from the card's probabilities.

Positive quantities (pT, energies) are smeared by the log-normal distribution of Delphes: mean
and variance are those asked for, exactly, and no value is ever negative or redrawn. What is
biased is the median, lower than the mean by 1/sqrt(1 + (sigma/mean)^2): 5e-7 for a relative
resolution of 1e-3, 0.5 % for 10 %.

Resolutions, efficiencies and identification are taken at the true momentum of production.
Neglects: correlations between the five parameters (the covariance is diagonal), non-Gaussian
tails, the factor 1/beta in multiple scattering, energy loss and interactions in the tracker.
J. de Favereau et al. (Delphes 3), JHEP 02 (2014) 057.
"""

import math
from enum import IntEnum

from numba import njit

from fiducial.core.random import normal_from_uniform, normal_pair, uniform_pair
from fiducial.simulation.helix import perigee, pseudorapidity, to_face, wrap
from fiducial.simulation.lookup import find_cell, log_normal, probability, resolution
from fiducial.simulation.species import MASS, Species, always_charged, classify
from fiducial.simulation.tables import Scalar, Where

__all__ = ["NOT_FINITE", "NO_CHARGE", "TRACK_WIDTH", "Track", "respond"]

NOT_FINITE = -2  # kind of a particle whose numbers are not finite
NO_CHARGE = -3  # kind of a particle that its PDG code calls charged, and its charge does not


class Track(IntEnum):
    """Columns of a reconstructed track, `track[i * TRACK_WIDTH + Track.X]`."""

    PT = 0  # [GeV]
    D0 = 1  # [mm] relative to the beam spot
    Z0 = 2  # [mm] relative to the beam spot
    PHI = 3  # [rad] at the perigee
    THETA = 4  # [rad]
    SIGMA_PT = 5  # relative; the errors are in the order of the quantities
    SIGMA_D0 = 6  # [mm]
    SIGMA_Z0 = 7  # [mm]
    SIGMA_PHI = 8  # [rad]
    SIGMA_THETA = 9  # [rad]
    ENERGY = 10  # [GeV] with the mass of the identified kind
    GOODNESS = 11  # probability that a particle of the identified kind is called so
    SIZE = 12


TRACK_WIDTH = int(Track.SIZE)

_W = int(Track.SIZE)
_PT = int(Track.PT)
_PHI = int(Track.PHI)
_THETA = int(Track.THETA)
_D0 = int(Track.D0)
_Z0 = int(Track.Z0)
_SIGMA_PT = int(Track.SIGMA_PT)
_ENERGY = int(Track.ENERGY)
_GOODNESS = int(Track.GOODNESS)

_FIELD = int(Scalar.FIELD)
_RADIUS = int(Scalar.RADIUS)
_HALF_LENGTH = int(Scalar.HALF_LENGTH)
_MIN_PT = int(Scalar.MIN_PT)
_MAX_ABS_ETA = int(Scalar.MAX_ABS_ETA)
_MAX_PRODUCTION_RADIUS = int(Scalar.MAX_PRODUCTION_RADIUS)
_MAX_PRODUCTION_Z = int(Scalar.MAX_PRODUCTION_Z)
_SPOT_X = int(Scalar.SPOT_X)
_SPOT_Y = int(Scalar.SPOT_Y)
_SPOT_Z = int(Scalar.SPOT_Z)

_AT_FRACTIONS = int(Where.FRACTIONS)
_AT_PT = int(Where.PT)
_AT_D0 = int(Where.D0)
_AT_EFFICIENCY = int(Where.EFFICIENCY)
_AT_ELECTRON = int(Where.AS_ELECTRON)
_AT_ECAL = int(Where.ECAL)

_CHARGED_HADRON = int(Species.charged_hadron)
_PI = math.pi
_MASS_E, _MASS_MU, _MASS_PI = MASS


@njit
def identify(values, where, species, abs_eta, p, pt, u):
    """Kind (0 electron, 1 muon, 2 charged hadron) of a track, and its goodness."""
    named, upper = 2, 0.0
    for k in range(2):
        upper += probability(values, where[_AT_ELECTRON + 3 * k + species], abs_eta, p, pt)
        if named == 2 and u < upper:
            named = k
    called = 0.0
    for k in range(2):
        if named == 2 or named == k:
            called += probability(values, where[_AT_ELECTRON + 3 * k + named], abs_eta, p, pt)
    return named, 1.0 - called if named == 2 else called


@njit
def measure(values, where, species, abs_eta, cosecant, p, pt, seed, number, item, u, track, at):
    """Smear the quantities of a track, whose true values stand at ``track[at]`` onwards.

    u  uniform number for theta; the others come from draws 2 to 5 of the item
    """
    root = math.sqrt(cosecant)
    odd = 0.0
    for k in range(5):
        if k == _THETA:
            gauss = normal_from_uniform(u)
        elif k % 2 == 0:
            gauss, odd = normal_pair(seed, number, item, 1 + k // 2)
        else:
            gauss = odd
        chart = where[_AT_PT + species] if k == _PT else where[_AT_D0 + k - 1]
        x = pt if k == _PT else 1.0 / p
        sigma = resolution(values, chart, abs_eta, cosecant, root, x)
        track[at + _SIGMA_PT + k] = sigma
        if k == _PT:
            track[at] = log_normal(pt, sigma, gauss)
        else:
            track[at + k] += sigma * gauss


@njit
def respond(
    i,
    values,
    where,
    seed,
    rows,
    event_of,
    offsets,
    event_numbers,
    pdg,
    charge,
    mass,
    x,
    y,
    z,
    px,
    py,
    pz,
    energy,
    species,
    kind,
    track,
    ecal_cell,
    hcal_cell,
):
    """Respond to the final-state particle ``i``.

    values, where          a card's tables
    seed           uint64  of the step
    rows           (n,) int64   row of particle i in the MCParticle columns
    event_of       (n,) int64   its event's index in the batch
    offsets        (n_events + 1,) int64  of the MCParticle columns
    event_numbers  (n_events,) int64
    pdg … pz                    MCParticle columns [e, GeV, mm]
    energy         (n,) float64 out: [GeV] true energy
    species        (n,) int8    out: class
    kind           (n,) int8    out: 0 electron, 1 muon, 2 charged hadron; -1 without a track,
                                below that an unusable particle
    track          (n * TRACK_WIDTH,) float64  out, where kind >= 0
    ecal_cell, hcal_cell  (n,) int32  out: cell hit, -1 where none
    """
    row = rows[i]
    event = event_of[i]
    vx, vy, vz = x[row], y[row], z[row]
    kx, ky, kz = px[row], py[row], pz[row]
    q = float(charge[row])
    m = mass[row]
    pt2 = kx * kx + ky * ky
    pt = math.sqrt(pt2)
    p = math.sqrt(pt2 + kz * kz)
    e = math.sqrt(p * p + m * m)
    kin = classify(pdg[row], q)
    energy[i] = e
    species[i] = kin
    kind[i] = -1
    ecal_cell[i] = -1
    hcal_cell[i] = -1
    if not math.isfinite(e + vx + vy + vz):
        kind[i] = NOT_FINITE
        return
    if q == 0.0 and always_charged(pdg[row]):
        kind[i] = NO_CHARGE
        return
    face, half_length = values[_RADIUS], values[_HALF_LENGTH]
    r2 = vx * vx + vy * vy
    if p == 0.0 or r2 >= face * face or abs(vz) >= half_length:
        return
    cos_phi, sin_phi, cot = 1.0, 0.0, math.copysign(1.0, kz)
    if pt > 0.0:
        cos_phi, sin_phi, cot = kx / pt, ky / pt, kz / pt
    qb = q * values[_FIELD]

    fractions = where[_AT_FRACTIONS] + 2 * kin
    if values[fractions] > 0.0 or values[fractions + 1] > 0.0:
        hit, hx, hy, hz = to_face(vx, vy, vz, pt, cos_phi, sin_phi, cot, qb, face, half_length)
        hr = math.sqrt(hx * hx + hy * hy)
        if hit and hr > 0.0:
            eta = pseudorapidity(hz, hr)
            azimuth = math.atan2(hy, hx)
            for part in range(2):
                if values[fractions + part] > 0.0:
                    cell = find_cell(values, where[_AT_ECAL + part], eta, azimuth)
                    if part == 0:
                        ecal_cell[i] = cell
                    else:
                        hcal_cell[i] = cell

    if q == 0.0 or kin > _CHARGED_HADRON or pt <= 0.0 or pt < values[_MIN_PT]:
        return
    abs_eta = abs(pseudorapidity(kz, pt))
    radius = values[_MAX_PRODUCTION_RADIUS]
    if (
        abs_eta >= values[_MAX_ABS_ETA]
        or r2 > radius * radius
        or abs(vz) > values[_MAX_PRODUCTION_Z]
    ):
        return
    number = event_numbers[event]
    item = row - offsets[event]
    u_found, u_theta = uniform_pair(seed, number, item, 0)
    efficiency = probability(values, where[_AT_EFFICIENCY + kin], abs_eta, p, pt)
    if u_found >= efficiency:
        return
    # given that it lies below the efficiency, the same number is uniform up to there
    named, goodness = identify(values, where, kin, abs_eta, p, pt, u_found / efficiency)
    kind[i] = named

    phi = math.atan2(ky, kx)
    d0, phi0, z0 = perigee(
        vx, vy, vz, pt, phi, cot, qb, values[_SPOT_X], values[_SPOT_Y], values[_SPOT_Z]
    )
    at = i * _W
    track[at + _PT], track[at + _D0], track[at + _Z0] = pt, d0, z0
    track[at + _PHI], track[at + _THETA] = phi0, math.atan2(pt, kz)
    measure(
        values, where, kin, abs_eta, p / pt, p, pt, seed, number, item, u_theta, track, at
    )  # fmt: skip
    theta = abs(track[at + _THETA])
    if theta > _PI:
        theta = 2.0 * _PI - theta
    track[at + _THETA] = theta
    track[at + _PHI] = wrap(track[at + _PHI])
    new_p = track[at + _PT] / math.sin(theta)
    new_m = _MASS_PI
    if named == 0:
        new_m = _MASS_E
    elif named == 1:
        new_m = _MASS_MU
    track[at + _ENERGY] = math.sqrt(new_p * new_p + new_m * new_m)
    track[at + _GOODNESS] = goodness
