"""Position and width of a peak, by maximum likelihood in a window.

The values are counted in 400 fine bins of the window, and the shape is normalised there, so what
lies outside (radiative tails) does not pull. Errors are the sandwich estimate, right for the
sampling spread also where the true peak has not quite the assumed shape (White, Econometrica 50
(1982) 1). Neglects background under the peak and the width of the fine bins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]
BINS = 400
REACH = 5.0  # [unit of the values] most that the radiative shape lets radiation take


@dataclass(frozen=True)
class PeakFit:
    """position, width and their errors [unit of the values]; entries in the window."""

    position: float
    position_error: float
    width: float
    width_error: float
    entries: int


def _gauss(x: Floats, position: float, width: float, gamma: float) -> Floats:
    return np.asarray(-0.5 * ((x - position) / width) ** 2, dtype=np.float64)


def _voigt(x: Floats, position: float, width: float, gamma: float) -> Floats:
    profile = special.voigt_profile(x - position, width, gamma / 2)
    return np.asarray(np.log(profile), dtype=np.float64)


def _radiative(x: Floats, position: float, width: float, beta: float) -> Floats:
    energy = REACH * ((np.arange(200) + 0.5) / 200) ** (1 / beta)  # lost, with density E^(beta - 1)
    distance = (x[:, None] + energy - position) / width
    return np.asarray(np.log(np.exp(-0.5 * distance**2).mean(axis=1) + 1e-300), dtype=np.float64)


SHAPES: dict[str, Callable[[Floats, float, float, float], Floats]] = {
    "gauss": _gauss,
    "voigt": _voigt,
    "radiative": _radiative,
}


def fit_peak(
    values: Floats, low: float, high: float, shape: str = "gauss", gamma: float = 0.0
) -> PeakFit:
    """Fit ``values`` (n,) between low and high; NaN position where fewer than 10 lie there.

    shape  gauss; voigt, with a Breit-Wigner of full width ``gamma``; radiative, a Gaussian whose
           centre lost an energy E with density E^(gamma - 1), as soft photons take it: for a pair
           of fermions gamma = 2 alpha / pi (ln(s / m^2) - 1), 0.058 for muons at the Z
    """
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    n = int(counts.sum())
    if n < 10:
        return PeakFit(np.nan, np.nan, np.nan, np.nan, n)
    x = (edges[:-1] + edges[1:]) / 2
    log_shape = SHAPES[shape]

    def log_probability(theta: Floats) -> Floats:
        log_p = log_shape(x, float(theta[0]), float(np.exp(theta[1])), gamma)
        top = float(log_p.max())
        return log_p - (top + math.log(float(np.exp(log_p - top).sum())))

    def cost(theta: Floats) -> float:
        return -float(counts @ log_probability(theta)) / n

    mean = float(counts @ x) / n
    spread = float(np.sqrt(counts @ (x - mean) ** 2 / n))
    start = np.array([float(x[np.argmax(np.convolve(counts, np.ones(9), "same"))]), np.log(spread)])
    window = high - low
    # steps of a twentieth of the window; to 1e-6 of it, far below any statistical error
    simplex = start + np.array([[0.0, 0.0], [window / 20, 0.0], [0.0, 0.3]])
    found = optimize.minimize(
        cost, start, method="Nelder-Mead",
        bounds=[(low, high), (np.log(window / BINS / 4), np.log(4 * window))],
        options={"initial_simplex": simplex, "xatol": 1e-6 * window, "fatol": 1e-12},
    )  # fmt: skip
    theta = np.asarray(found.x, dtype=np.float64)
    covariance = _sandwich(log_probability, theta, counts)
    width = float(np.exp(theta[1]))
    errors = np.sqrt(np.diag(covariance))
    return PeakFit(float(theta[0]), float(errors[0]), width, width * float(errors[1]), n)


def _sandwich(
    log_probability: Callable[[Floats], Floats], theta: Floats, counts: NDArray[np.int64]
) -> Floats:
    steps = np.array([1e-4 * np.exp(theta[1]), 1e-4])

    def shifted(*amounts: float) -> Floats:
        return log_probability(theta + steps * np.array(amounts))

    here = log_probability(theta)
    scores = np.stack(
        [
            (shifted(1, 0) - shifted(-1, 0)) / (2 * steps[0]),
            (shifted(0, 1) - shifted(0, -1)) / (2 * steps[1]),
        ]
    )
    curvature = np.empty((2, 2))
    curvature[0, 0] = counts @ (shifted(1, 0) - 2 * here + shifted(-1, 0)) / steps[0] ** 2
    curvature[1, 1] = counts @ (shifted(0, 1) - 2 * here + shifted(0, -1)) / steps[1] ** 2
    mixed = shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)
    curvature[0, 1] = curvature[1, 0] = counts @ mixed / (4 * steps[0] * steps[1])
    inverse = np.linalg.pinv(-curvature)
    return np.asarray(inverse @ ((scores * counts) @ scores.T) @ inverse, dtype=np.float64)
