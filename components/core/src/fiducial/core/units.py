# ruff: noqa: N816
"""Units: multiply by a unit to store a value, divide by it to print one.

The base is EDM4hep's: GeV, mm, ns, e (charge), tesla, radian, each 1.0. Cross-sections are
in pb. Momenta and masses are in GeV (c = 1 in them), lengths in mm and times in ns, so a
momentum in GeV and a field in tesla give a radius in mm through
``constants.curvature_constant``, and a length over ``constants.c`` gives a time.

>>> from fiducial.core.units import MeV, cm
>>> 511 * MeV
0.511
>>> 2.5 * cm
25.0
"""

from math import pi

__all__ = [
    "GeV", "MeV", "TeV", "ab", "barn", "cm", "deg", "e", "eV", "fb", "gauss", "keV",
    "km", "m", "mb", "meV", "mm", "mrad", "ms", "nb", "nm", "ns", "pb", "ps", "rad",
    "radian", "s", "tesla", "ub", "um", "urad", "us",
]  # fmt: skip

GeV = 1.0
TeV = 1e3
MeV = 1e-3
keV = 1e-6
eV = 1e-9
meV = 1e-12

mm = 1.0
nm = 1e-6
um = 1e-3
cm = 10.0
m = 1e3
km = 1e6

ns = 1.0
ps = 1e-3
us = 1e3
ms = 1e6
s = 1e9

tesla = 1.0
gauss = 1e-4

e = 1.0
"""The elementary charge."""

radian = rad = 1.0
mrad = 1e-3
urad = 1e-6
deg = pi / 180.0

pb = 1.0
ab = 1e-6
fb = 1e-3
nb = 1e3
ub = 1e6
mb = 1e9
barn = 1e12
