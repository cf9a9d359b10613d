"""Random numbers by kernel launch against numpy's Philox generator, one thread each."""

import numpy as np
from numba import njit

from fiducial.core.bench import Record, measure
from fiducial.core.device import launch
from fiducial.core.random import normal_pair, uniform_pair

N = 4_000_000


@njit
def fill_uniform(i, seed, out):
    out[2 * i], out[2 * i + 1] = uniform_pair(seed, 0, i, 0)


@njit
def fill_normal(i, seed, out):
    out[2 * i], out[2 * i + 1] = normal_pair(seed, 0, i, 0)


def benchmarks() -> list[Record]:
    """Uniforms and normals, two a Philox block, 32 MB of output."""
    out = np.empty(N)
    numpy_philox = np.random.Generator(np.random.Philox(1))
    common = {
        "input": f"{N} float64, 1 thread",
        "unit": "numbers/s",
        "amount": N,
        "rival_name": "numpy.random.Philox",
        "rival_version": np.__version__,
    }
    return [
        measure(
            name="uniform",
            ours=lambda: launch(fill_uniform, N // 2, 1, out, threads=1),
            rival=lambda: numpy_philox.random(out=out),
            **common,
        ),
        measure(
            name="normal",
            ours=lambda: launch(fill_normal, N // 2, 1, out, threads=1),
            rival=lambda: numpy_philox.standard_normal(out=out),
            **common,
        ),
    ]


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
