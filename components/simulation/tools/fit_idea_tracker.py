"""Derive the tracker figures of the card `idea` from the layers of the IDEA detector.

The covariance of (d0, phi, curvature, z0, cot theta) of a straight-in-first-order track is
computed by generalised least squares with the multiple scattering of every layer (Gluckstern's
problem: R. L. Gluckstern, NIM 24 (1963) 381; scattering after PDG 2024, eq. 34.16), on the layer
list that the IDEA collaboration published with the Delphes card of IDEA
(delphes/cards/delphes_card_IDEA.tcl, 2022: beam pipe, MAPS vertex detector, 112-layer drift
chamber, silicon wrapper). The card's formulas are then fitted per region of |eta| to muons of
1 to 182.5 GeV (all that FCC-ee reaches). Prints the YAML of the card's `resolution`, and the
largest deviation of each fit.

Neglects: energy loss, hit inefficiency, the curvature of the path between layers (pT > 0.4 GeV).
"""

import math
from itertools import pairwise

import numpy as np

FIELD = 2.0  # [T]
MUON = 0.10566  # [GeV]
REGIONS = (0.0, 0.88, 1.2, 1.6, 2.0, 2.56)  # |eta|
MOMENTA = np.geomspace(1.0, 182.5, 12)  # [GeV]

# barrel: radius [m], half length [m], thickness in X0 at normal incidence,
# error r-phi [m], error z [m] (None: passive)
PIPE = (0.010, 100.0, 0.00235 / 0.35276, None, None)
VERTEX = [
    (r, half, 0.00028 / 0.0937, 3e-6, 3e-6)
    for r, half in ((0.012, 0.0965), (0.020, 0.1609), (0.031525, 0.2575), (0.15, 0.1609))
]
VERTEX.append((0.315, 0.3263, 0.00047 / 0.0937, 7e-6, 7e-6))
CHAMBER_INNER = (0.345, 2.125, 0.0002 / 0.237223, None, None)
CHAMBER_OUTER = (2.02, 2.125, 0.02 / 1.667, None, None)
WRAPPER = [(r, 2.35, 0.00047 / 0.0937, 7e-6, 9e-5) for r in (2.04, 2.06)]
# drift chamber: radii [m], stereo angles [rad] of alternating sign, error [m], X0 a layer
CHAMBER_RADII = np.linspace(0.36, 2.0, 112)
CHAMBER_STEREO = np.linspace(0.0203738, 0.112723, 112) * np.where(np.arange(112) % 2, -1, 1)
CHAMBER_HALF, CHAMBER_ERROR, CHAMBER_X0 = 2.0, 1e-4, 0.0147748 / 1400
# endcap: z [m], inner and outer radius [m], X0, error r-phi [m], error r [m]
DISKS = [
    (z, inner, outer, 0.00028 / 0.0937, 7e-6, 7e-6)
    for z, inner, outer in ((0.2575, 0.0365, 0.2515), (0.62, 0.075, 0.29), (0.93, 0.105, 0.29))
]
WALL = (2.125, 0.345, 2.02, 0.25 / 5.55, None, None)
FORWARD_WRAPPER = [(z, 0.35, 2.02, 0.00047 / 0.0937, 7e-6, 9e-5) for z in (2.30, 2.32)]


def crossings(theta: float) -> list[tuple[float, float, list[tuple[float, float, float]]]]:
    """Radius [m], X0 along the path, and measurements (cos, sin of stereo, error) met at theta."""
    sin, cos, cot = math.sin(theta), math.cos(theta), 1 / math.tan(theta)
    met = []
    for r, half, x0, transverse, along in (PIPE, *VERTEX, CHAMBER_INNER, CHAMBER_OUTER, *WRAPPER):
        if r * cot < half:
            hits = [] if transverse is None else [(1.0, 0.0, transverse), (0.0, 1.0, along)]
            met.append((r, x0 / sin, hits))
    for r, stereo in zip(CHAMBER_RADII, CHAMBER_STEREO, strict=True):
        if r * cot < CHAMBER_HALF:
            hit = (math.cos(stereo), math.sin(stereo), CHAMBER_ERROR)
            met.append((float(r), CHAMBER_X0 / sin, [hit]))
    for z, inner, outer, x0, transverse, radial in (*DISKS, WALL, *FORWARD_WRAPPER):
        r = z / cot if cot > 1e-6 else math.inf
        if inner < r < outer:
            hits = [] if transverse is None else [(1.0, 0.0, transverse), (0.0, 1.0, radial * cot)]
            met.append((r, x0 / cos, hits))
    return sorted(met, key=lambda plane: plane[0])


def resolutions(p: float, theta: float) -> dict[str, float]:
    """sigma(pT)/pT, d0 [mm], z0 [mm], phi [rad], theta [rad] of a muon of momentum p [GeV]."""
    sin = math.sin(theta)
    planes = crossings(theta)
    rows, radii, errors, axes = [], [], [], []
    for r, _, hits in planes:
        for c, s, error in hits:
            rows.append([c, c * r, 0.5 * c * r * r, s, s * r])
            radii.append(r)
            errors.append(error)
            axes.append((c, s))
    design, at, axis = np.array(rows), np.array(radii), np.array(axes)
    covariance = np.diag(np.square(errors))
    beta = p / math.hypot(p, MUON)
    for r, x0, _ in planes:
        kick = 0.0136 / (p * beta) * math.sqrt(x0) * (1 + 0.038 * math.log(x0))
        lever = np.clip(at - r, 0.0, None)
        for displacement in (axis[:, 0] * lever * kick / sin, axis[:, 1] * lever * kick / sin**2):
            covariance += np.outer(displacement, displacement)
    fit = np.linalg.inv(design.T @ np.linalg.solve(covariance, design))
    d0, phi, curvature, z0, cot = np.sqrt(np.diag(fit))
    return {
        "pt": curvature * p * sin / (0.299792458 * FIELD),
        "d0": 1e3 * d0,
        "z0": 1e3 * z0,
        "phi": phi,
        "theta": cot * sin * sin,
    }


def fit(kind: str, low: float, high: float) -> tuple[dict[str, float], float]:
    """Coefficients of one formula in one region, and the largest relative deviation."""
    etas = np.linspace(low + 0.01, high - 0.01, 6)
    thetas = 2 * np.arctan(np.exp(-etas))
    p, theta = (grid.ravel() for grid in np.meshgrid(MOMENTA, thetas))
    truth = np.array([resolutions(a, b)[kind] for a, b in zip(p, theta, strict=True)])
    x = p * np.sin(theta) if kind == "pt" else 1 / p
    fixed = {"d0": (0.0, 1.5), "z0": (0.0, 2.5), "phi": (0.0, 1.5), "theta": (0.0, 0.5)}
    powers = np.arange(0.0, 4.5, 0.5)
    choices = [fixed[kind]] if kind != "pt" else [(m, n) for m in powers for n in powers]
    best: tuple[float, dict[str, float], float] | None = None
    for m, n in choices:
        u, v = np.sin(theta) ** (-2 * m), (x * np.sin(theta) ** -n) ** 2
        squares = np.column_stack([u, v]) / truth[:, None] ** 2
        # alternate: least squares on squares, then on logarithms by Gauss-Newton
        a2, b2 = np.clip(np.linalg.lstsq(squares, np.ones(len(p)), rcond=None)[0], 1e-30, None)
        for _ in range(30):
            model = a2 * u + b2 * v
            residual = np.log(truth**2 / model)
            jacobian = np.column_stack([a2 * u / model, b2 * v / model])
            step = np.linalg.lstsq(jacobian, residual, rcond=None)[0]
            a2, b2 = a2 * math.exp(np.clip(step[0], -1, 1)), b2 * math.exp(np.clip(step[1], -1, 1))
        deviation = np.exp(0.5 * np.log(truth**2 / (a2 * u + b2 * v))) - 1
        spread = float(np.std(deviation))
        if best is None or spread < best[0]:
            found = {"a": math.sqrt(a2), "b": math.sqrt(b2), "power_a": m, "power_b": n}
            best = spread, found, float(np.abs(deviation).max())
    assert best is not None
    return best[1], best[2]


def main() -> None:
    for kind in ("pt", "d0", "z0", "phi", "theta"):
        print(f"{kind}:")  # noqa: T201
        for low, high in pairwise(REGIONS):
            found, worst = fit(kind, low, high)
            text = ", ".join(f"{name}: {value:.3g}" for name, value in found.items())
            print(f"  - {{abs_eta: [{low}, {high}], {text}}}  # within {worst:.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
