# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""A charged particle in a solenoid: its perigee and where it meets the calorimeter's face.

Exact helices about +z in a uniform field that fills the cylinder of the card; straight lines
for neutral particles and without field. Neglects energy loss, scattering and decays in flight.
A particle that curls up inside (a looper) turns until it reaches an endcap, as in Delphes;
one without longitudinal momentum never leaves.

Sign conventions are LCIO's (and EDM4hep's TrackState): with the azimuth phi of the momentum at
the point of closest approach (x, y) to the reference point, x = x_ref - d0 sin(phi),
y = y_ref + d0 cos(phi); omega has the sign of the charge for a field along +z.
LC-DET-2006-004 (T. Kraemer, Track parameters in LCIO).
"""

import math

from numba import njit

__all__ = ["CURVATURE", "perigee", "pseudorapidity", "to_face", "wrap"]

# [GeV / (T mm)] pT = CURVATURE |q B| R: the speed of light, 299792458 m/s, in these units
CURVATURE = 2.99792458e-4

_PI = math.pi
_TWO_PI = 2.0 * math.pi


@njit
def wrap(angle):
    """The angle [rad] in (-pi, pi]."""
    if angle > _PI or angle <= -_PI:
        angle = angle - _TWO_PI * math.ceil((angle - _PI) / _TWO_PI)
    return angle


@njit
def pseudorapidity(z, r):
    """eta of the direction (z, r), r > 0: asinh(z / r), to an absolute accuracy of 1e-15."""
    eta = math.log((abs(z) + math.sqrt(r * r + z * z)) / r)
    return eta if z >= 0.0 else -eta


@njit
def perigee(x, y, z, pt, phi, cot, qb, x_spot, y_spot, z_spot):
    """d0 [mm], phi [rad] and z0 [mm] at the closest approach to the beam spot in the x-y plane.

    x, y, z  [mm]   a point of the trajectory, phi [rad] the azimuth of the momentum there
    pt       [GeV]  > 0 where qb is not 0; cot: cotangent of the polar angle
    qb       [e T]  charge times field; 0 gives a straight line
    """
    dx, dy = x - x_spot, y - y_spot
    if dx == 0.0 and dy == 0.0:
        return 0.0, phi, z - z_spot
    sin_phi, cos_phi = math.sin(phi), math.cos(phi)
    across = dx * sin_phi - dy * cos_phi
    if qb == 0.0:
        return -across, phi, z - z_spot - (dx * cos_phi + dy * sin_phi) * cot
    turn = 1.0 if qb > 0 else -1.0
    radius = pt / (CURVATURE * abs(qb))
    # the centre of the circle, seen from the beam spot
    xc, yc = dx + turn * radius * sin_phi, dy - turn * radius * cos_phi
    distance = math.sqrt(xc * xc + yc * yc)
    if distance == 0.0:
        return turn * radius, phi, z - z_spot
    # turn (radius - distance), without the cancellation
    d0 = -(turn * (dx * dx + dy * dy) + 2.0 * radius * across) / (radius + distance)
    phi0 = math.atan2(turn * xc, -turn * yc)
    arc = turn * wrap(phi0 - phi) * radius  # from the closest approach to (x, y), along the motion
    return d0, phi0, z - z_spot - arc * cot


@njit
def to_face(x, y, z, pt, cos_phi, sin_phi, cot, qb, face_radius, half_length):
    """Where a particle meets the cylinder: (True, x, y, z) [mm], or (False, ...) if never.

    The start must be inside. Arguments as `perigee`, with the azimuth by its cosine and sine;
    pt may be 0 (along the axis).
    """
    if pt <= 0.0:
        return cot != 0.0, x, y, math.copysign(half_length, cot)
    if qb == 0.0:
        along = x * cos_phi + y * sin_phi
        r2 = x * x + y * y
        path = -along + math.sqrt(max(along * along + face_radius * face_radius - r2, 0.0))
        z_end = z + path * cot
        if abs(z_end) > half_length:
            z_end = math.copysign(half_length, z_end)
            path = (z_end - z) / cot
        return True, x + path * cos_phi, y + path * sin_phi, z_end
    turn = 1.0 if qb > 0 else -1.0
    radius = pt / (CURVATURE * abs(qb))
    xc, yc = x + turn * radius * sin_phi, y - turn * radius * cos_phi
    distance = math.sqrt(xc * xc + yc * yc)
    angle = -1.0  # turned until the barrel; negative where it is never reached
    if distance + radius > face_radius:
        # the point turns about the centre by -turn * angle; it leaves at sin^2(half) of the
        # angle between the direction away from the axis' far side and the crossing
        gap = face_radius * face_radius - (distance - radius) * (distance - radius)
        half = math.sqrt(min(max(gap / (4.0 * distance * radius), 0.0), 1.0))
        crossing = _PI - 2.0 * math.asin(half)
        away = math.atan2(y - yc, x - xc) - math.atan2(yc, xc)
        away = away - _TWO_PI * math.floor(away / _TWO_PI)  # [0, 2 pi)
        angle = away - crossing if turn > 0 else _TWO_PI - crossing - away
        angle = max(angle, 0.0)
        z_end = z + angle * radius * cot
        if abs(z_end) > half_length:
            angle = -1.0
    if angle < 0.0:
        if cot == 0.0:
            return False, x, y, z
        z_end = math.copysign(half_length, cot)
        angle = (z_end - z) / (cot * radius)
    cos_turned, sin_turned = math.cos(angle), turn * math.sin(angle)
    sin_end = sin_phi * cos_turned - cos_phi * sin_turned
    cos_end = cos_phi * cos_turned + sin_phi * sin_turned
    return True, xc - turn * radius * sin_end, yc + turn * radius * cos_end, z_end
