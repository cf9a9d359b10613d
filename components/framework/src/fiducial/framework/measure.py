"""Clocks and memory of one piece of work.

`Meter` adds up wall time, CPU time of the process and the peak of the resident set over any number
of entries.  The peak is the kernel's own high-water mark (``VmHWM``), set back before each entry
through ``/proc/self/clear_refs``, so it belongs to that piece of work and not to whatever came
before it in the same process.  Neglected: memory of child processes, and systems without
``/proc``, where the peak is that of the process so far (``getrusage``).
Source: proc_pid_status(5), proc_pid_clear_refs(5).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset_peak_rss() -> bool:
    """Set the process's resident high-water mark back to now; False where the system cannot."""
    try:
        with _CLEAR.open("w") as stream:
            stream.write("5")
    except OSError:
        return False
    return True


def peak_rss_bytes() -> int:
    """Peak resident set of this process since `reset_peak_rss` [bytes]."""
    try:
        with _STATUS.open("rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


@dataclass
class Usage:
    """What some work cost: wall and CPU seconds, peak resident set [bytes], events in and out."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int = 0
    events_in: int = 0
    events_out: int = 0

    def add(self, other: Usage) -> None:
        """Times and counts add up; of the peaks, the highest stays."""
        self.seconds += other.seconds
        self.cpu_seconds += other.cpu_seconds
        self.peak_rss_bytes = max(self.peak_rss_bytes, other.peak_rss_bytes)
        self.events_in += other.events_in
        self.events_out += other.events_out

    def to_dict(self) -> dict[str, float | int]:
        """Plain numbers, as `from_dict` takes them."""
        return {
            "events_in": self.events_in,
            "events_out": self.events_out,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_rss_bytes": self.peak_rss_bytes,
        }

    @classmethod
    def from_dict(cls, record: dict[str, float | int]) -> Usage:
        """The inverse of `to_dict`."""
        return cls(
            seconds=float(record["seconds"]),
            cpu_seconds=float(record["cpu_seconds"]),
            peak_rss_bytes=int(record["peak_rss_bytes"]),
            events_in=int(record["events_in"]),
            events_out=int(record["events_out"]),
        )


class Meter:
    """Usages by name, filled by ``with meter.measure(name): …``; they may not be nested."""

    def __init__(self) -> None:
        self.usages: dict[str, Usage] = {}

    def usage(self, name: str) -> Usage:
        """The usage of that name, empty at first."""
        return self.usages.setdefault(name, Usage())

    @contextmanager
    def measure(self, name: str) -> Iterator[Usage]:
        """Add what happens inside to the usage of that name, also when it raises."""
        usage = self.usage(name)
        reset_peak_rss()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield usage
        finally:
            usage.seconds += time.perf_counter() - wall
            usage.cpu_seconds += time.process_time() - cpu
            usage.peak_rss_bytes = max(usage.peak_rss_bytes, peak_rss_bytes())

    def merge(self, usages: dict[str, Usage]) -> None:
        """Add the usages of another meter to this one's."""
        for name, usage in usages.items():
            self.usage(name).add(usage)
