# mypy: disallow-untyped-defs=False
"""The inverse of the normal distribution function: from a probability to a normal deviate.

Neglects nothing to double precision: the relative error is about 1e-16 for probabilities down
to 1e-316. Three rational functions, one around the median and two for the tails, in which
sqrt(-log p) is the variable.

M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
Statistics 37 (1988) 477, doi:10.2307/2347330: PPND16, whose coefficients these are (highest
power first).
"""

import math

from numba import njit

__all__ = ["normal_from_uniform"]

_CENTRE_NUM = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_CENTRE_DEN = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_NUM = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_DEN = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_FAR_NUM = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_FAR_DEN = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


@njit(forceinline=True)
def _polynomial(c, x):
    """Degree 7, by Estrin's scheme: its products do not wait for each other."""
    x2 = x * x
    low = (c[4] * x + c[5]) * x2 + (c[6] * x + c[7])
    return ((c[0] * x + c[1]) * x2 + (c[2] * x + c[3])) * (x2 * x2) + low


@njit(forceinline=True)
def normal_from_uniform(u):
    """The value below which a standard normal lies with probability u, for 0 < u < 1."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(_CENTRE_NUM, r) / _polynomial(_CENTRE_DEN, r)
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        x = _polynomial(_TAIL_NUM, r) / _polynomial(_TAIL_DEN, r)
    else:
        r -= 5.0
        x = _polynomial(_FAR_NUM, r) / _polynomial(_FAR_DEN, r)
    return -x if q < 0.0 else x
