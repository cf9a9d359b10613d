"""Event generators behind one interface: Pythia 8, the particle gun, and analytic oracles.

``Pythia8`` and ``Gun`` are steps (producers). :mod:`fiducial.generators.analytic` holds
leading-order cross-sections in closed form, against which generators are checked.
"""

from fiducial.generators.gun import Gun
from fiducial.generators.pythia import Pythia8

__all__ = ["Gun", "Pythia8"]
