# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""Device functions that read a card's tables: resolutions, probabilities, cells.

`values` and `where` are the columns of `tables.Tables`; layouts are described there. Nothing
here allocates, so that every function runs inside a kernel on any device.
"""

import math

from numba import njit

from fiducial.simulation.tables import CALORIMETER_HEAD, Cell

__all__ = [
    "calorimeter_sigma",
    "cell_polar",
    "cell_region",
    "find_cell",
    "log_normal",
    "power",
    "probability",
    "resolution",
]

_ETA_LOW = int(Cell.ETA_LOW)
_ETA_HIGH = int(Cell.ETA_HIGH)
_LOW = int(Cell.LOW)
_STEP = int(Cell.STEP)
_IN_THETA = int(Cell.IN_THETA)
_N_POLAR = int(Cell.N_POLAR)
_N_PHI = int(Cell.N_PHI)
_FIRST = int(Cell.FIRST)
_STOCHASTIC = int(Cell.STOCHASTIC)
_CONSTANT = int(Cell.CONSTANT)
_NOISE = int(Cell.NOISE)
_SHAPE_CONSTANT = int(Cell.SHAPE_CONSTANT)
_SHAPE_QUADRATIC = int(Cell.SHAPE_QUADRATIC)
_SHAPE_CENTRE = int(Cell.SHAPE_CENTRE)
_WIDTH = int(Cell.SIZE)
_HEAD = CALORIMETER_HEAD
_TWO_PI = 2.0 * math.pi
_HALF_PI = 0.5 * math.pi


@njit
def power(base, root, twice):
    """base^(twice / 2), for a whole number `twice` held in a float; root is sqrt(base)."""
    n = int(twice)
    result = 1.0
    if n & 1:
        result = root
    for _ in range(n >> 1):
        result *= base
    return result


@njit
def resolution(values, at, abs_eta, cosecant, root, x):
    """a / sin^power_a (+) b x / sin^power_b of the region of |eta| (the last one beyond).

    cosecant  1 / sin(theta), and its root
    """
    n = int(values[at])
    region = at + 1
    for _ in range(n - 1):
        if abs_eta < values[region]:
            break
        region += 5
    a = values[region + 1] * power(cosecant, root, values[region + 2])
    b = values[region + 3] * power(cosecant, root, values[region + 4]) * x
    return math.sqrt(a * a + b * b)


@njit
def probability(values, at, abs_eta, p, pt):
    """Probability of a map; 0 beyond its last region."""
    x = p if values[at] == 0.0 else pt
    n = int(values[at + 1])
    for region in range(n):
        if abs_eta < values[at + 2 + 2 * region]:
            bins = at + int(values[at + 3 + 2 * region])
            edges = int(values[bins])
            k = 0
            while k < edges and x >= values[bins + 1 + k]:
                k += 1
            return values[bins + 1 + edges + k]
    return 0.0


@njit
def log_normal(mean, relative, gauss):
    """A log-normal number of mean `mean` > 0 and standard deviation `mean * relative`.

    gauss is a standard normal number. Always positive; mean and variance are exact, the median
    lies at mean / sqrt(1 + relative^2).
    """
    variance = math.log(1.0 + relative * relative)
    return mean * math.exp(math.sqrt(variance) * gauss - 0.5 * variance)


@njit
def find_cell(values, at, eta, phi):
    """Number of the cell that (eta, phi) falls in; -1 outside the calorimeter."""
    abs_eta = abs(eta)
    region = at + _HEAD
    for _ in range(int(values[at + 3])):
        if abs_eta < values[region + _ETA_HIGH]:
            n_polar, n_phi = int(values[region + _N_POLAR]), int(values[region + _N_PHI])
            polar = abs_eta
            if values[region + _IN_THETA] != 0.0:
                polar = _HALF_PI - 2.0 * math.atan(math.exp(-abs_eta))
            i = int((polar - values[region + _LOW]) / values[region + _STEP])
            i = min(max(i, 0), n_polar - 1)
            turn = phi / _TWO_PI
            j = min(int((turn - math.floor(turn)) * n_phi), n_phi - 1)
            side = n_polar if eta < 0.0 else 0
            return int(values[region + _FIRST]) + (side + i) * n_phi + j
        region += _WIDTH
    return -1


@njit
def cell_region(values, at, cell):
    """Position in `values` of the region that holds a cell."""
    region = at + _HEAD
    for _ in range(int(values[at + 3]) - 1):
        if cell < int(values[region + _WIDTH + _FIRST]):
            break
        region += _WIDTH
    return region


@njit
def cell_polar(values, region, cell, fraction):
    """eta at a fraction (0 inner edge, 1 outer edge) of a cell along its polar variable."""
    n_polar, n_phi = int(values[region + _N_POLAR]), int(values[region + _N_PHI])
    row = (cell - int(values[region + _FIRST])) // n_phi
    sign = 1.0
    if row >= n_polar:
        row -= n_polar
        sign = -1.0
    polar = values[region + _LOW] + (row + fraction) * values[region + _STEP]
    if values[region + _IN_THETA] != 0.0:
        polar = -math.log(math.tan(0.5 * (_HALF_PI - polar)))
    return sign * polar


@njit
def calorimeter_sigma(values, region, abs_eta, energy):
    """sigma(E) [GeV] of a calorimeter region."""
    offset = abs_eta - values[region + _SHAPE_CENTRE]
    shape = values[region + _SHAPE_CONSTANT] + values[region + _SHAPE_QUADRATIC] * offset * offset
    stochastic, constant = values[region + _STOCHASTIC], values[region + _CONSTANT]
    noise = values[region + _NOISE]
    return shape * math.sqrt(
        stochastic * stochastic * energy + constant * constant * energy * energy + noise * noise
    )
