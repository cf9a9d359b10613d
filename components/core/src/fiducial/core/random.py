# mypy: disallow-untyped-defs=False
"""Counter-based random numbers: Philox-4x32-10, keyed by seed, event, item and draw.

A random number is a pure function of its four names, so any event can be made again alone, on
any device, in any order, by any number of threads::

    u = uniform(seed, event, item, draw)    # one float64 in the open interval (0, 1)
    g = normal(seed, event, item, draw)     # one float64, standard normal

seed   64 bits   the stream: ``derive(run_seed, "name of the step")``
event  64 bits   the event number
item   32 bits   the particle, hit or cell
draw   32 bits   the how-manieth number of this item

Every (event, item, draw) of a seed names one number; ``normal`` is a function of the
``uniform`` of the same name, so a kernel gives each draw one purpose. Draws 2k and 2k + 1 come
from one Philox block: ``uniform_pair`` and ``normal_pair`` give both for the price of one.

All functions are ``@njit`` and run on CPU threads and in CUDA kernels; they are inlined into
the loop that calls them, which lets the compiler work on several items at once. The integers,
and so the uniforms, are the same bits everywhere. The normals use log and sqrt beyond 1.44
sigma, whose last bits may differ between a CPU and a GPU.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2,
3", SC11 (2011), doi:10.1145/2063384.2063405. M. J. Wichura, "Algorithm AS 241: the percentage
points of the normal distribution", Applied Statistics 37 (1988) 477.
"""

import hashlib

import numpy as np
from numba import njit

from fiducial.core.inverse_normal import normal_from_uniform

__all__ = [
    "EVENT_SEEDS",
    "derive",
    "event_seed",
    "normal",
    "normal_from_uniform",
    "normal_pair",
    "philox4x32_10",
    "uniform",
    "uniform_pair",
]

# Multipliers and Weyl increments of Philox-4x32 (Salmon et al., section 3.3).
_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_11 = np.uint64(11)
_1 = np.uint64(1)
_TO_UNIT = 2.0**-53


@njit(forceinline=True)
def _round(c0, c1, c2, c3, k0, k1):
    product0 = _M0 * c0
    product1 = _M1 * c2
    return (
        (product1 >> _32) ^ c1 ^ k0,
        product1 & _LOW,
        (product0 >> _32) ^ c3 ^ k1,
        product0 & _LOW,
    )


@njit(forceinline=True)
def philox4x32_10(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox-4x32 on the counter ``c0 … c3`` with the key ``k0, k1``.

    All are 32-bit words held in uint64 (bits above the 32nd must be zero), so is the result:
    a product of two 32-bit words never overflows, and nothing is ever promoted to float.
    """
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    for _ in range(9):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return _round(c0, c1, c2, c3, k0, k1)


@njit(forceinline=True)
def _block(seed, event, item, pair):
    """The 128 bits of draws 2 pair and 2 pair + 1, as two uint64."""
    seed, event = np.uint64(seed), np.uint64(event)
    r0, r1, r2, r3 = philox4x32_10(
        np.uint64(pair) & _LOW,
        np.uint64(item) & _LOW,
        event & _LOW,
        event >> _32,
        seed & _LOW,
        seed >> _32,
    )
    return (r1 << _32) | r0, (r3 << _32) | r2


@njit(forceinline=True)
def _open_unit(bits):
    """The upper 53 bits k as k 2^-53, and 2^-54 for k = 0: never 0, never 1."""
    return max(float(np.int64(bits >> _11)), 0.5) * _TO_UNIT


@njit(forceinline=True)
def uniform(seed, event, item, draw):
    """A float64 in the open interval (0, 1), from 53 random bits."""
    draw = np.uint64(draw)
    even, odd = _block(seed, event, item, draw >> _1)
    return _open_unit(odd if draw & _1 else even)


@njit(forceinline=True)
def uniform_pair(seed, event, item, pair):
    """``uniform`` of the draws ``2 pair`` and ``2 pair + 1``, from one Philox block."""
    even, odd = _block(seed, event, item, pair)
    return _open_unit(even), _open_unit(odd)


@njit(forceinline=True)
def normal(seed, event, item, draw):
    """A standard normal float64, from ``uniform`` of the same draw by inversion."""
    return normal_from_uniform(uniform(seed, event, item, draw))


@njit(forceinline=True)
def normal_pair(seed, event, item, pair):
    """``normal`` of the draws ``2 pair`` and ``2 pair + 1``, from one Philox block."""
    u, v = uniform_pair(seed, event, item, pair)
    return normal_from_uniform(u), normal_from_uniform(v)


EVENT_SEEDS = 900_000_000
"""The seeds that an engine accepts: 1 … EVENT_SEEDS (Pythia 8's range, also CLHEP's)."""


def derive(seed: int, label: str) -> int:
    """The 64-bit seed of the stream that label names (a step), for a run's seed.

    SHA-256 of both, so that streams of different labels or seeds are unrelated.
    """
    digest = hashlib.sha256(f"{int(seed)}/{label}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def event_seed(seed: int, event: int) -> int:
    """The seed in 1 … 900 000 000 that an engine is given for an event.

    The first 900 million events of a stream get all different seeds, which a hash cut down
    to this range would not give (among 500 000 events it repeats some 140): a keyed
    permutation of the event number, four Feistel rounds over 30 bits, walked until it falls
    into the range (Black and Rogaway, CT-RSA 2002).
    """
    epoch, value = divmod(int(event), EVENT_SEEDS)
    key = hashlib.blake2b(f"{int(seed)}/{epoch}".encode(), digest_size=32).digest()
    rounds = [int.from_bytes(key[8 * i : 8 * i + 8], "little") | 1 for i in range(4)]
    while True:
        left, right = value >> 15, value & 0x7FFF
        for k in rounds:
            left, right = right, left ^ _mix(right, k)
        value = left << 15 | right
        if value < EVENT_SEEDS:
            return value + 1


def _mix(half: int, key: int) -> int:
    """15 bits that depend on all bits of a half and of a key (two multiply-shift steps)."""
    x = ((half + 1) * key) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 29)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    return x >> 49
