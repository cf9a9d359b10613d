"""Helices: against numerical integration of the Lorentz force, and by their own symmetries."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fiducial.simulation.helix import CURVATURE, perigee, to_face, wrap

FACE, HALF = 2250.0, 2500.0


def integrate(x, y, z, pt, phi, cot, qb, path, steps=4000):
    """Point and azimuth after a transverse path [mm], by RK4 in d phi/ds = -k qB / pT."""
    h = path / steps
    rate = -CURVATURE * qb / pt

    def slope(state):
        return np.array([math.cos(state[3]), math.sin(state[3]), cot, rate])

    state = np.array([x, y, z, phi])
    for _ in range(steps):
        k1 = slope(state)
        k2 = slope(state + 0.5 * h * k1)
        k3 = slope(state + 0.5 * h * k2)
        k4 = slope(state + h * k3)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def face(x, y, z, pt, phi, cot, qb):
    return to_face(x, y, z, pt, math.cos(phi), math.sin(phi), cot, qb, FACE, HALF)


def test_curvature_is_that_of_the_lorentz_force() -> None:
    # 1 GeV in 1 T: 3.3356 m
    assert pytest.approx(3335.6409519815204, rel=1e-12) == 1.0 / CURVATURE


@pytest.mark.parametrize("qb", [2.0, -2.0, 7.6])
@pytest.mark.parametrize("pt", [3.0, 8.0, 45.0])
@pytest.mark.parametrize("cot", [0.0, 0.3, -1.5, 8.0])
def test_the_face_is_met_where_integration_meets_it(qb: float, pt: float, cot: float) -> None:
    x, y, z, phi = 30.0, -200.0, 15.0, 0.7
    hit, hx, hy, hz = face(x, y, z, pt, phi, cot, qb)
    assert hit
    radius = math.hypot(hx, hy)
    on_barrel = abs(radius - FACE) < 1e-6 and abs(hz) <= HALF + 1e-6
    on_endcap = abs(abs(hz) - HALF) < 1e-6 and radius <= FACE + 1e-6
    assert on_barrel or on_endcap
    # walk along the track until it first leaves the cylinder
    path, step, point = 0.0, 5.0, np.array([x, y, z, phi])
    while math.hypot(point[0], point[1]) < FACE and abs(point[2]) < HALF:
        point = integrate(*point[:3], pt, point[3], cot, qb, step, steps=4)
        path += step
        assert path < 1e5
    point = integrate(*point[:3], pt, point[3], cot, qb, -step, steps=4)
    assert math.dist((hx, hy, hz), point[:3]) <= step * math.hypot(1.0, cot) + 1e-3


def test_a_looper_turns_until_the_endcap() -> None:
    # radius 83 mm: never at the barrel
    hit, x, y, z = face(0.0, 0.0, 0.0, 0.05, 0.3, 0.4, 2.0)
    assert hit and z == HALF
    expected = integrate(0.0, 0.0, 0.0, 0.05, 0.3, 0.4, 2.0, HALF / 0.4, steps=20000)
    assert (x, y) == pytest.approx((expected[0], expected[1]), abs=1e-2)


def test_a_looper_without_longitudinal_momentum_never_leaves() -> None:
    assert not face(0.0, 0.0, 0.0, 0.05, 0.3, 0.0, 2.0)[0]


def test_a_particle_along_the_axis_goes_straight_to_the_endcap() -> None:
    assert face(1.0, 2.0, 3.0, 0.0, 0.0, -1.0, 2.0) == (True, 1.0, 2.0, -HALF)


@settings(deadline=None)
@given(
    phi=st.floats(-3.1, 3.1), cot=st.floats(-5, 5), x=st.floats(-900, 900), y=st.floats(-900, 900)
)
def test_a_stiff_track_is_a_straight_line(phi: float, cot: float, x: float, y: float) -> None:
    straight = face(x, y, 10.0, 50.0, phi, cot, 0.0)
    stiff = face(x, y, 10.0, 1e7, phi, cot, 2.0)
    assert stiff[1:] == pytest.approx(straight[1:], abs=5e-3)


@settings(deadline=None)
@given(
    pt=st.floats(0.05, 100),
    phi=st.floats(-3.1, 3.1),
    cot=st.floats(-4, 4),
    x=st.floats(-300, 300),
    y=st.floats(-300, 300),
    qb=st.sampled_from([2.0, -2.0, 3.8, -7.6, 0.0]),
    turn=st.floats(-2.5, 2.5),
)
def test_the_perigee_is_the_same_from_every_point_of_the_track(pt, phi, cot, x, y, qb, turn):
    spot = (0.3, -0.2, 1.0)
    radius = pt / (CURVATURE * abs(qb)) if qb else 1000.0
    d0, phi0, z0 = perigee(x, y, 5.0, pt, phi, cot, qb, *spot)
    assume(abs(d0) < 0.95 * radius)
    # the perigee lies on the line across the track, and the track passes it with azimuth phi0
    point = (spot[0] - d0 * math.sin(phi0), spot[1] + d0 * math.cos(phi0), spot[2] + z0)
    again = perigee(*point, pt, phi0, cot, qb, *spot)
    assert again[0] == pytest.approx(d0, abs=1e-6)
    assert again[2] == pytest.approx(z0, abs=1e-6 * max(1.0, abs(cot)))
    # go along the helix by less than half a turn from the perigee: the same parameters
    path = turn * radius
    sign = 0.0 if qb == 0 else math.copysign(1.0, qb)
    end = phi0 - sign * turn
    if qb == 0:
        moved = (point[0] + path * math.cos(phi0), point[1] + path * math.sin(phi0))
        end = phi0
    else:
        moved = (
            point[0] + sign * radius * (math.sin(phi0) - math.sin(end)),
            point[1] - sign * radius * (math.cos(phi0) - math.cos(end)),
        )
    d1, phi1, z1 = perigee(*moved, point[2] + path * cot, pt, end, cot, qb, *spot)
    scale = 1e-9 * radius + 1e-6
    assert d1 == pytest.approx(d0, abs=scale)
    assert abs(wrap(phi1 - phi0)) < 1e-6
    assert z1 == pytest.approx(z0, abs=1e3 * scale * max(1.0, abs(cot)))


def test_d0_has_the_sign_of_lcio() -> None:
    # momentum along +x, displaced to +y: x = -d0 sin(0), y = +d0 cos(0)
    d0, phi0, z0 = perigee(0.0, 0.1, 0.5, 45.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0)
    assert (d0, phi0, z0) == (pytest.approx(0.1), pytest.approx(0.0), pytest.approx(0.5))


def test_the_perigee_is_the_closest_point_of_the_circle() -> None:
    x, y, pt, phi, qb = 120.0, 40.0, 0.4, 2.1, 2.0
    d0, _, _ = perigee(x, y, 0.0, pt, phi, 0.0, qb, 0.0, 0.0, 0.0)
    radius = pt / (CURVATURE * qb)
    angles = np.linspace(0, 2 * np.pi, 200_001)
    xc, yc = x + radius * math.sin(phi), y - radius * math.cos(phi)
    closest = np.hypot(xc + radius * np.cos(angles), yc + radius * np.sin(angles)).min()
    assert abs(d0) == pytest.approx(closest, abs=1e-6)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4))
def test_wrapped_angles_lie_in_one_turn_and_differ_by_whole_turns(angle: float) -> None:
    wrapped = wrap(angle)
    assert -math.pi - 1e-9 <= wrapped <= math.pi + 1e-9
    assert math.cos(wrapped - angle) == pytest.approx(1.0)
