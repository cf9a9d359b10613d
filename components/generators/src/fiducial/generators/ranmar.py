# mypy: disallow-untyped-defs=False
"""Initial states of Pythia's random number generator (RANMAR), many seeds at once.

Pythia fills 97 numbers of 48 bits from a seed, bit by bit, from a 3-lag Fibonacci sequence modulo
179 and a congruential one modulo 169; that takes it 60 us a seed, a quarter of a Z decay. Here
32 seeds go side by side, so that the compiler makes vector instructions of it: 8 us a seed.

G. Marsaglia, A. Zaman, W. W. Tsang, Stat. Prob. Lett. 9 (1990) 35; F. James, Comput. Phys.
Commun. 60 (1990) 329; Pythia 8 manual, "Random-Number Generation".
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from fiducial.core.device import launch

__all__ = ["N_WORDS", "initial_states"]

N_WORDS = 97
_LANES = 32
_HALF = 24  # bits of half a word: what a uint32 holds

_1, _5, _22, _24 = np.uint32(1), np.uint32(5), np.uint32(22), np.uint32(24)
_53, _169, _179 = np.uint32(53), np.uint32(169), np.uint32(179)
# x // 179 = x * 93728 >> 24 for x < 179^2, and x // 169 = x * 24819 >> 22 for x <= 53 * 168 + 1,
# exactly and within 32 bits (checked for every x by a test).
_INVERSE_179, _INVERSE_169 = np.uint32(93728), np.uint32(24819)


@njit
def _fill_states(block, seeds, scratch, states):
    """The states of seeds 32 block … 32 block + 31.

    seeds    (n,) int64             1 … 900 000 000
    scratch  (blocks, 6, 32) uint32
    states   (n, 97) float64        out
    """
    i, j, k, m = scratch[block, 0], scratch[block, 1], scratch[block, 2], scratch[block, 3]
    first = block * _LANES
    n = min(_LANES, len(seeds) - first)
    for s in range(n):
        ij, kl = seeds[first + s] // 30082 % 31329, seeds[first + s] % 30082
        i[s], j[s] = ij // 177 % 177 + 2, ij % 177 + 2
        k[s], m[s] = kl // 169 % 178 + 1, kl % 169
    for word in range(N_WORDS):
        for half in range(2):
            bits = scratch[block, 4 + half]
            for s in range(_LANES):
                bits[s] = np.uint32(0)
            for _ in range(_HALF):
                for s in range(_LANES):
                    a = i[s] * j[s]
                    a -= ((a * _INVERSE_179) >> _24) * _179
                    a *= k[s]
                    a -= ((a * _INVERSE_179) >> _24) * _179
                    b = _53 * m[s] + _1
                    b -= ((b * _INVERSE_169) >> _22) * _169
                    i[s], j[s], k[s], m[s] = j[s], k[s], a, b
                    bits[s] = (bits[s] << _1) | (((a * b) >> _5) & _1)
        for s in range(n):
            high, low = np.float64(scratch[block, 4, s]), np.float64(scratch[block, 5, s])
            states[first + s, word] = (high * 16777216.0 + low) * 2.0**-48


def initial_states(seeds: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The 97 numbers of each seed, (n, 97); seeds (n,) in 1 … 900 000 000."""
    blocks = -(-len(seeds) // _LANES)
    states = np.empty((len(seeds), N_WORDS))
    scratch = np.zeros((blocks, 6, _LANES), dtype=np.uint32)
    launch(_fill_states, blocks, seeds, scratch, states, threads=1)
    return states
