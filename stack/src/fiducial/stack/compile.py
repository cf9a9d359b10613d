"""Byte-compile a prefix with its own Python, in parallel, to bytes that do not vary.

See ``_compile_worker``. The files are shared out by size in a fixed order.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fiducial.stack import _compile_worker
from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.manifest import Entry, Manifest
from fiducial.stack.tools import clean_environment
from fiducial.stack.verify import describe_all


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


def compiled_name(source: str, cache_tag: str) -> str:
    """Where the compiled form of a source lies: ``a/b.py`` -> ``a/__pycache__/b.TAG.pyc``."""
    folder, _, name = source.rpartition("/")
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{cache_tag}.pyc"


def reuse_compiled(
    old_prefix: Path,
    old: Manifest,
    prefix: Path,
    entries: Mapping[str, Entry],
    sources: Sequence[str],
    cache_tag: str,
) -> set[str]:
    """Copy compiled files of unchanged sources from the old stack; returns these sources.

    A compiled file is taken only if its bytes are those that the old manifest states.
    """
    known = old.entries()
    same = [
        (source, compiled_name(source, cache_tag))
        for source in sources
        if known.get(source) == entries[source]
    ]
    found = describe_all(old_prefix, [compiled for _, compiled in same])
    taken = set()
    for source, compiled in same:
        if found[compiled] is not None and found[compiled] == known.get(compiled):
            target = prefix / compiled
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(old_prefix / compiled, target)
            target.chmod(0o644)
            taken.add(source)
    return taken
