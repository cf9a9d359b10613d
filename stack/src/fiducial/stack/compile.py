"""Byte-compile a prefix with its own Python, in parallel, to bytes that do not vary.

See ``_compile_worker``. The files are shared out by size in a fixed order.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from fiducial.stack import _compile_worker
from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.tools import clean_environment


def compile_sources(
    prefix: Path,
    python: Path,
    sources: Sequence[str],
    advance: Callable[[int], None] | None = None,
    jobs: int | None = None,
) -> None:
    """Compile ``sources`` (paths below ``prefix``) with ``python``; .pyc go to __pycache__."""
    jobs = max(1, min(jobs or os.cpu_count() or 1, len(sources)))
    shares: list[list[str]] = [[] for _ in range(jobs)]
    loads = [0] * jobs
    sizes = {name: (prefix / name).stat().st_size for name in sources}
    for name in sorted(sources, key=lambda name: (-sizes[name], name)):
        least = loads.index(min(loads))
        shares[least].append(name)
        loads[least] += sizes[name] + 2000
    for folder in {name.rpartition("/")[0] for name in sources}:
        (prefix / folder / "__pycache__").mkdir(exist_ok=True)
    failures: list[str] = []
    guard = threading.Lock()

    def work(share: list[str]) -> None:
        command = [str(python), "-I", "-S", _compile_worker.__file__]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment({"PYTHONHASHSEED": "0"}),
        ) as process:
            assert process.stdin and process.stdout and process.stderr
            feed = "".join(f"{prefix}/{name}\t{name}\n" for name in share)
            writer = threading.Thread(target=_feed, args=(process.stdin, feed))
            writer.start()
            for line in process.stdout:
                if advance is not None:
                    with guard:
                        advance(int(line))
            writer.join()
            said = process.stderr.read().strip()
            if process.wait() != 0:
                failures.append(said.splitlines()[-1] if said else f"exit {process.returncode}")

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        space = any("No space left" in failure for failure in failures)
        raise EnvironmentProblem(
            f"cannot byte-compile {prefix}",
            "no space left" if space else failures[0],
            "free some space, or choose another place" if space else None,
        )


def _feed(stream: object, text: str) -> None:
    try:
        stream.write(text)  # type: ignore[attr-defined]
        stream.close()  # type: ignore[attr-defined]
    except BrokenPipeError:
        pass  # the worker died; its exit code tells
