# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""The kernels that write reconstructed objects: one event each, into columns of known size.

In an event the order is: tracks in the order of their particles, then ECAL objects, then HCAL
objects in the order of their cells. All columns are those of the event data model.

The covariance of (px, py, pz, E) is J C J^T with the diagonal C of the measured quantities:
(pT, phi, theta) for a track, (E, theta, phi) for a neutral object. Neutral objects are massless
(the calorimeter measures their energy, not their species); a track has the mass of its kind.
A neutral object's direction is that of its cell as seen from the detector's centre.
"""

import math

from numba import njit

from fiducial.simulation.helix import CURVATURE
from fiducial.simulation.species import MASS
from fiducial.simulation.tables import Scalar, Where
from fiducial.simulation.towers import Tower
from fiducial.simulation.track_response import Track

__all__ = ["count_tracks", "fill_clusters", "fill_tracks"]

_KW = int(Track.SIZE)
_PT = int(Track.PT)
_PHI = int(Track.PHI)
_THETA = int(Track.THETA)
_D0 = int(Track.D0)
_Z0 = int(Track.Z0)
_SIGMA_PT = int(Track.SIGMA_PT)
_SIGMA_PHI = int(Track.SIGMA_PHI)
_SIGMA_THETA = int(Track.SIGMA_THETA)
_SIGMA_D0 = int(Track.SIGMA_D0)
_SIGMA_Z0 = int(Track.SIGMA_Z0)
_TRACK_ENERGY = int(Track.ENERGY)
_TRACK_GOODNESS = int(Track.GOODNESS)

_TW = int(Tower.SIZE)
_ENERGY = int(Tower.ENERGY)
_ETA = int(Tower.ETA)
_TOWER_PHI = int(Tower.PHI)
_SIGMA = int(Tower.SIGMA)
_TOWER_SIGMA_THETA = int(Tower.SIGMA_THETA)
_TOWER_SIGMA_PHI = int(Tower.SIGMA_PHI)
_GOODNESS = int(Tower.GOODNESS)
_DEPOSIT = int(Tower.DEPOSIT)

_FIELD = int(Scalar.FIELD)
_RADIUS = int(Scalar.RADIUS)
_HALF_LENGTH = int(Scalar.HALF_LENGTH)
_SPOT_X = int(Scalar.SPOT_X)
_SPOT_Y = int(Scalar.SPOT_Y)
_SPOT_Z = int(Scalar.SPOT_Z)
_AT_FRACTIONS = int(Where.FRACTIONS)
_MASS_E, _MASS_MU, _MASS_PI = MASS
_INDEX = 0xFFFFFFFF


@njit
def count_tracks(event, firsts, kind, n_tracks):
    """Count the tracks of the event ``event``.

    firsts    (n_events + 1,) int64  offsets of the final-state particles
    kind      (n,) int8              as `track_response` left it
    n_tracks  (n_events,) int64      out
    """
    found = 0
    for i in range(firsts[event], firsts[event + 1]):
        if kind[i] >= 0:
            found += 1
    n_tracks[event] = found


@njit
def write_covariance(covariance, row, d_1, d_2, d_3):
    """The lower triangle of sum_k d_k d_k^T, with d_k = (dpx, dpy, dpz, dE) of one error."""
    at = 0
    for i in range(4):
        for j in range(i + 1):
            covariance[row, at] = d_1[i] * d_1[j] + d_2[i] * d_2[j] + d_3[i] * d_3[j]
            at += 1


@njit
def fill_tracks(
    event,
    values,
    firsts,
    rows,
    offsets,
    kind,
    track,
    charge,
    first_track,
    first_object,
    first_link,
    pdg,
    energy,
    px,
    py,
    pz,
    reference_x,
    reference_y,
    reference_z,
    object_charge,
    mass,
    goodness,
    covariance,
    link_from,
    link_to,
    link_weight,
    d0,
    phi,
    omega,
    z0,
    tan_lambda,
    state_covariance,
):
    """Write the tracks of the event ``event``, their particles and their links to the truth.

    values … charge             as in `track_response`; firsts as in `count_tracks`
    first_track, first_object, first_link  (n_events + 1,) int64  where the event's output begins
    pdg … covariance            out: ReconstructedParticle columns [GeV, mm, e]
    link_from, link_to, link_weight  out: places in the event, and 1
    d0 … state_covariance       out: TrackState columns at the interaction point [mm, rad]
    """
    spot_x, spot_y, spot_z = values[_SPOT_X], values[_SPOT_Y], values[_SPOT_Z]
    found = 0
    for i in range(firsts[event], firsts[event + 1]):
        named = kind[i]
        if named < 0:
            continue
        row = first_object[event] + found
        state = first_track[event] + found
        link = first_link[event] + found
        at = i * _KW
        pt, azimuth, theta = track[at + _PT], track[at + _PHI], track[at + _THETA]
        sin_phi, cos_phi = math.sin(azimuth), math.cos(azimuth)
        sin_theta = math.sin(theta)
        cot = math.cos(theta) / sin_theta
        q = charge[rows[i]]
        code, m = 211, _MASS_PI
        if named == 0:
            code, m = -11, _MASS_E
        elif named == 1:
            code, m = -13, _MASS_MU
        e = track[at + _TRACK_ENERGY]
        pdg[row] = code if q > 0 else -code
        energy[row] = e
        px[row], py[row], pz[row] = pt * cos_phi, pt * sin_phi, pt * cot
        impact = track[at + _D0]
        reference_x[row] = spot_x - impact * sin_phi
        reference_y[row] = spot_y + impact * cos_phi
        reference_z[row] = spot_z + track[at + _Z0]
        object_charge[row] = q
        mass[row] = m
        goodness[row] = track[at + _TRACK_GOODNESS]

        s_pt = track[at + _SIGMA_PT] * pt
        s_phi, s_theta = track[at + _SIGMA_PHI], track[at + _SIGMA_THETA]
        p2 = pt * pt * (1.0 + cot * cot)
        along = s_theta * pt / (sin_theta * sin_theta)  # -d pz of one sigma in theta
        write_covariance(
            covariance,
            row,
            (s_pt * cos_phi, s_pt * sin_phi, s_pt * cot, s_pt * p2 / (pt * e)),
            (-s_phi * pt * sin_phi, s_phi * pt * cos_phi, 0.0, 0.0),
            (0.0, 0.0, -along, -along * pt * cot / e),
        )
        link_from[link] = found
        link_to[link] = rows[i] - offsets[event]
        link_weight[link] = 1.0

        curvature = CURVATURE * q * values[_FIELD] / pt
        s_tan = s_theta / (sin_theta * sin_theta)
        d0[state] = impact
        phi[state] = azimuth
        omega[state] = curvature
        z0[state] = track[at + _Z0]
        tan_lambda[state] = cot
        for k in range(21):
            state_covariance[state, k] = 0.0
        state_covariance[state, 0] = track[at + _SIGMA_D0] * track[at + _SIGMA_D0]
        state_covariance[state, 2] = s_phi * s_phi
        s_omega = track[at + _SIGMA_PT] * curvature
        state_covariance[state, 5] = s_omega * s_omega
        state_covariance[state, 9] = track[at + _SIGMA_Z0] * track[at + _SIGMA_Z0]
        state_covariance[state, 14] = s_tan * s_tan
        found += 1


@njit
def fill_clusters(
    event,
    part,
    values,
    where,
    firsts,
    rows,
    offsets,
    true_energy,
    species,
    keys,
    tower,
    tower_pdg,
    tower_first,
    tower_size,
    n_towers,
    before_object,
    before_link,
    before_cluster,
    pdg,
    energy,
    px,
    py,
    pz,
    reference_x,
    reference_y,
    reference_z,
    object_charge,
    mass,
    goodness,
    covariance,
    link_from,
    link_to,
    link_weight,
    cluster_type,
    cluster_energy,
    cluster_error,
    cluster_x,
    cluster_y,
    cluster_z,
    cluster_covariance,
    first_object,
):
    """Write the neutral objects of one calorimeter in the event ``event``.

    part … n_towers             as in `towers.build_towers`
    before_object, before_link, before_cluster  (n_events,) int64  where this part's output begins
    pdg … link_weight           out, as in `fill_tracks`; a weight is the share of the deposit
    cluster_type … cluster_covariance  out: Cluster columns [GeV, mm]; type 1 ECAL, 2 HCAL
    first_object                (n_events + 1,) int64  where the event's objects begin
    """
    radius, half_length = values[_RADIUS], values[_HALF_LENGTH]
    link = before_link[event]
    first = firsts[event]
    for k in range(n_towers[event]):
        row = before_object[event] + k
        cluster = before_cluster[event] + k
        at = (first + k) * _TW
        e, eta, azimuth = tower[at + _ENERGY], tower[at + _ETA], tower[at + _TOWER_PHI]
        sigma, s_phi = tower[at + _SIGMA], tower[at + _TOWER_SIGMA_PHI]
        s_theta = tower[at + _TOWER_SIGMA_THETA]
        sin_phi, cos_phi = math.sin(azimuth), math.cos(azimuth)
        growth = math.exp(eta)
        sinh = 0.5 * (growth - 1.0 / growth)
        sin_theta = 2.0 / (growth + 1.0 / growth)
        cos_theta = sinh * sin_theta
        pdg[row] = tower_pdg[first + k]
        energy[row] = e
        px[row] = e * sin_theta * cos_phi
        py[row] = e * sin_theta * sin_phi
        pz[row] = e * cos_theta
        reference_x[row], reference_y[row], reference_z[row] = 0.0, 0.0, 0.0
        object_charge[row] = 0.0
        mass[row] = 0.0
        goodness[row] = tower[at + _GOODNESS]
        turn, tilt = s_phi * e * sin_theta, s_theta * e
        write_covariance(
            covariance,
            row,
            (sigma * sin_theta * cos_phi, sigma * sin_theta * sin_phi, sigma * cos_theta, sigma),
            (-turn * sin_phi, turn * cos_phi, 0.0, 0.0),
            (tilt * cos_theta * cos_phi, tilt * cos_theta * sin_phi, -tilt * sin_theta, 0.0),
        )

        r, z = radius, radius * sinh
        outward, forward = 0.0, s_theta * radius / (sin_theta * sin_theta)
        if abs(z) > half_length:
            z = math.copysign(half_length, z)
            r = abs(z * sin_theta / cos_theta)
            outward, forward = s_theta * half_length / (cos_theta * cos_theta), 0.0
        x_o, y_o = outward * cos_phi, outward * sin_phi
        x_t, y_t = -s_phi * r * sin_phi, s_phi * r * cos_phi
        cluster_type[cluster] = 1 + part
        cluster_energy[cluster] = e
        cluster_error[cluster] = sigma
        cluster_x[cluster], cluster_y[cluster], cluster_z[cluster] = r * cos_phi, r * sin_phi, z
        cluster_covariance[cluster, 0] = x_o * x_o + x_t * x_t
        cluster_covariance[cluster, 1] = x_o * y_o + x_t * y_t
        cluster_covariance[cluster, 2] = y_o * y_o + y_t * y_t
        cluster_covariance[cluster, 3] = 0.0
        cluster_covariance[cluster, 4] = 0.0
        cluster_covariance[cluster, 5] = forward * forward

        start = first + tower_first[first + k]
        for d in range(start, start + tower_size[first + k]):
            i = first + (keys[d] & _INDEX)
            share = true_energy[i] * values[where[_AT_FRACTIONS] + 2 * species[i] + part]
            link_from[link] = row - first_object[event]
            link_to[link] = rows[i] - offsets[event]
            link_weight[link] = share / tower[at + _DEPOSIT]
            link += 1
