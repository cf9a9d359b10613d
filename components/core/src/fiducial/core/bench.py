"""Measure our way against a rival's: interleaved runs, medians, a ratio, peak memory.

The two ways run in turn in one process, so that what else the machine does hits both; each
runs once beforehand, so that compilers and caches are warm. The garbage collector rests while
the clock runs. Peak memory is the kernel's high-water mark of the process during one run of
ours (Linux resets it before; elsewhere it is that of the process so far).

Each benchmark is a file ``benchmarks/bench_*.py`` with ``def benchmarks() -> list[Record]``,
which ``make bench`` runs::

    def benchmarks():
        return [
            measure(
                name="uniform", input="4e6 float64", unit="numbers/s", amount=4e6,
                ours=lambda: fill(out), rival=lambda: generator.random(out=out),
                rival_name="numpy.random.Philox", rival_version=np.__version__,
            )
        ]
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

__all__ = ["Measured", "Record", "interleaved", "machine", "measure", "peak_rss"]


class Measured(TypedDict):
    """What is measured: the second half of a :class:`Record`.

    ours, rival     medians: seconds a run, or ``unit`` (amount a second)
    ratio           how many times faster ours is than the rival
    spread          (upper - lower quartile) / median of the ratio of neighbouring runs
    peak_rss_bytes  the most memory that the process held while ours ran
    """

    ours: float
    rival: float
    ratio: float
    repeats: int
    spread: float
    peak_rss_bytes: int
    rival_peak_rss_bytes: int
    machine: dict[str, Any]


class Record(Measured):
    """One line of a benchmark's answer."""

    name: str
    input: str
    unit: str
    rival_name: str
    rival_version: str


def measure(
    *,
    name: str,
    input: str,
    ours: Callable[[], object],
    rival: Callable[[], object],
    rival_name: str,
    rival_version: str,
    unit: str = "s",
    amount: float | None = None,
    repeats: int = 7,
) -> Record:
    """A whole record; see :func:`interleaved`."""
    measured = interleaved(ours, rival, repeats, amount)
    return {
        "name": name,
        "input": input,
        "unit": unit,
        "rival_name": rival_name,
        "rival_version": rival_version,
        **measured,
    }


def interleaved(
    ours: Callable[[], object],
    rival: Callable[[], object],
    repeats: int = 7,
    amount: float | None = None,
) -> Measured:
    """Run both in turn; the measured fields of a :class:`Record`.

    amount  what one run works on (events, bytes); then medians are amounts a second
    """
    peak_ours, peak_rival = peak_rss(ours), peak_rss(rival)  # these runs also warm up
    times: list[tuple[float, float]] = []
    for turn in range(repeats):
        pair = {True: 0.0, False: 0.0}
        for mine in (True, False) if turn % 2 == 0 else (False, True):
            pair[mine] = _seconds(ours if mine else rival)
        times.append((pair[True], pair[False]))
    ratios = [b / a for a, b in times]
    quartiles = statistics.quantiles(ratios, n=4) if repeats > 1 else [ratios[0]] * 3
    seconds = [statistics.median(column) for column in zip(*times, strict=True)]
    values = [amount / s for s in seconds] if amount is not None else seconds
    return {
        "ours": values[0],
        "rival": values[1],
        "ratio": statistics.median(ratios),
        "repeats": repeats,
        "spread": (quartiles[2] - quartiles[0]) / quartiles[1],
        "peak_rss_bytes": peak_ours,
        "rival_peak_rss_bytes": peak_rival,
        "machine": machine(),
    }


def peak_rss(run: Callable[[], object]) -> int:
    """The most bytes of memory that the process holds at any moment of one run."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
        run()
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        run()
        unit = 1 if platform.system() == "Darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> dict[str, Any]:
    """What was measured on: processor, cores that may be used, memory, system, Python."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": model,
        "cores": cores,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _seconds(run: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    finally:
        gc.enable()
