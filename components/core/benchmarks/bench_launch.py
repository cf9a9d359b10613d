"""What a launch costs: against calling a compiled loop directly, and against numpy."""

import numba
import numpy as np
from numba import njit

from fiducial.core.bench import Record, measure
from fiducial.core.device import launch

CALLS = 2_000
N = 2_000_000


@njit
def multiply_add(i, a, x, y):
    y[i] = a * x[i] + y[i]


@njit
def loop(n, a, x, y):
    for i in range(n):
        y[i] = a * x[i] + y[i]


def benchmarks() -> list[Record]:
    """The overhead of one launch, and the throughput of a memory-bound kernel."""
    x, y = np.ones(N), np.zeros(N)

    def many_launches() -> None:
        for _ in range(CALLS):
            launch(multiply_add, 1, 0.5, x, y, threads=1)

    def many_calls() -> None:
        for _ in range(CALLS):
            loop(1, 0.5, x, y)

    return [
        measure(
            name="launches of one item",
            input=f"{CALLS} launches, 1 thread",
            unit="launches/s",
            amount=CALLS,
            ours=many_launches,
            rival=many_calls,
            rival_name="numba.njit loop, called directly",
            rival_version=numba.__version__,
        ),
        measure(
            name="a x + y",
            input=f"{N} float64, 1 thread",
            unit="items/s",
            amount=N,
            ours=lambda: launch(multiply_add, N, 0.5, x, y, threads=1),
            rival=lambda: np.add(0.5 * x, y, out=y),
            rival_name="numpy",
            rival_version=np.__version__,
        ),
    ]


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
