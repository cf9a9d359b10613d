"""Gives Pythia the random numbers of an event, quickly.

The plain way is ``rndm.init(seed)``. The quick way computes the states of many seeds at once
(:mod:`fiducial.generators.ranmar`) and hands them over with ``rndm.setState``. Python cannot
fill a ``RndmState`` through its binding, so its memory is written directly, and only where this
is proved safe: for the version of pythia8mc whose layout is known, on CPython, after the memory
of three states made by Pythia itself has turned out to hold, bit for bit, what was predicted.
Otherwise the plain way is taken; the events are the same bits.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.generators.ranmar import N_WORDS, initial_states

__all__ = ["PlainSeeder", "QuickSeeder", "seeder"]

_KNOWN_VERSION = "8.317.2"
_PROBES = (1, 19780503, 900_000_000)

# struct RndmState { int i97, j97, seed; long sequence; double u[97], c, cd, cm; }
_LAYOUT = np.dtype(
    [
        ("i97", np.int32),
        ("j97", np.int32),
        ("seed", np.int32),
        ("padding", np.int32),
        ("sequence", np.int64),
        ("u", np.float64, (N_WORDS,)),
        ("c", np.float64),
        ("cd", np.float64),
        ("cm", np.float64),
    ]
)
_POINTER_IN_INSTANCE = 16  # a pybind11 instance: the Python object's head, then the C++ pointer


class PlainSeeder:
    """Seeds through Pythia's own ``init``."""

    def __init__(self, rndm: Any) -> None:
        self._rndm = rndm
        self._seeds: Sequence[int] = ()

    def prepare(self, seeds: Sequence[int]) -> None:
        """The seeds of the coming events."""
        self._seeds = seeds

    def seed(self, nth: int) -> None:
        """Give Pythia the numbers of the ``nth`` of the prepared seeds."""
        self._rndm.init(self._seeds[nth])


class QuickSeeder:
    """Seeds through prepared states; only :func:`seeder` makes one."""

    def __init__(self, rndm: Any, state: Any, memory: npt.NDArray[Any]) -> None:
        self._rndm = rndm
        self._state = state
        self._memory = memory  # of the state, which is kept alive above
        self._seed_held = memory["seed"]
        self._words = memory["u"][0]
        self._states = np.zeros((0, N_WORDS))
        self._seeds: Sequence[int] = ()

    def prepare(self, seeds: Sequence[int]) -> None:
        """The seeds of the coming events."""
        self._seeds = seeds
        self._states = initial_states(np.asarray(seeds, dtype=np.int64))

    def seed(self, nth: int) -> None:
        """Give Pythia the numbers of the ``nth`` of the prepared seeds."""
        self._words[:] = self._states[nth]
        self._seed_held[0] = self._seeds[nth]
        self._rndm.setState(self._state)


def seeder(rndm: Any) -> PlainSeeder | QuickSeeder:
    """The quickest way to seed that is proved to be right here."""
    if sys.implementation.name != "cpython" or version("pythia8mc") != _KNOWN_VERSION:
        return PlainSeeder(rndm)
    predicted = initial_states(np.array(_PROBES))
    state: Any = None
    for seed, words in zip(_PROBES, predicted, strict=True):
        rndm.init(seed)
        state = rndm.getState()
        held = _memory(state)
        plain = ("i97", "j97", "seed", "sequence", "c", "cd", "cm")
        same = all(held[name][0] == getattr(state, name) for name in plain)
        if not same or held["u"][0].tobytes() != words.tobytes():
            return PlainSeeder(rndm)
    return QuickSeeder(rndm, state, _memory(state))


def _memory(state: Any) -> npt.NDArray[Any]:
    """The bytes of a RndmState that Python owns, as a record; ``state`` must outlive it."""
    address = ctypes.c_void_p.from_address(id(state) + _POINTER_IN_INSTANCE).value
    buffer = (ctypes.c_char * _LAYOUT.itemsize).from_address(address or 0)
    return np.frombuffer(memoryview(buffer), dtype=_LAYOUT)
