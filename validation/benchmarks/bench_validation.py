"""Comparisons a second, against scipy's tests of the same hypotheses."""

import numpy as np
import scipy
from scipy import stats

from fiducial.core.bench import Record, measure
from fiducial.validation import statistics

RNG = np.random.default_rng(7)
REPEATS = 200


def benchmarks() -> list[Record]:
    """Histogram shape, unbinned samples and efficiencies."""
    shape = np.exp(-np.arange(50) / 10.0)
    shape /= shape.sum()
    n, m = RNG.multinomial(20_000, shape), RNG.multinomial(100_000, shape)
    table = np.stack([n, m])
    a, b = RNG.normal(size=20_000), RNG.normal(size=4000)

    def many(function):
        def run():
            for _ in range(REPEATS):
                function()

        return run

    version = scipy.__version__
    ours, theirs = statistics.ks_two_sample(a, b), stats.ks_2samp(a, b, method="asymp")
    assert ours.statistic == theirs.statistic
    return [
        measure(
            name="chi2 of two histograms", input="50 bins", unit="comparisons/s", amount=REPEATS,
            ours=many(lambda: statistics.shape_two_sample(n, m)),
            rival=many(lambda: stats.chi2_contingency(table)),
            rival_name="scipy.stats.chi2_contingency", rival_version=version,
        ),
        measure(
            name="KS of two samples", input="20000 and 4000 entries", unit="comparisons/s",
            amount=REPEATS // 10,
            ours=lambda: [statistics.ks_two_sample(a, b) for _ in range(REPEATS // 10)],
            rival=lambda: [stats.ks_2samp(a, b, method="asymp") for _ in range(REPEATS // 10)],
            rival_name="scipy.stats.ks_2samp (asymptotic)", rival_version=version,
        ),
        measure(
            name="efficiencies, exact", input="700 of 1000, 7100 of 10000", unit="comparisons/s",
            amount=REPEATS,
            ours=many(lambda: statistics.efficiency_two_sample(700, 1000, 7100, 10_000)),
            rival=many(lambda: stats.fisher_exact([[700, 300], [7100, 2900]])),
            rival_name="scipy.stats.fisher_exact", rival_version=version,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    for r in benchmarks():
        print(f"{r['name']:26} {r['ours']:12.4g} {r['unit']}, {r['ratio']:.2f} x {r['rival_name']}")
