"""What a checkpoint depends on, so that parts of different origin are never mixed.

A fingerprint is a flat table of digests by name: the chain's steps with all settings, the files
that settings name, the seed, the size of a range, the source of every package that takes part,
and the versions of what these packages require.  Two fingerprints can be compared entry by
entry, so that a refusal can say what has changed.  Neglected: files of more than 64 MiB that a
setting names are known by size and time of change, not by content.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from fiducial.core.config import dump
from fiducial.core.files import sha256_file
from fiducial.edm.steps import Step
from fiducial.framework.chain import Chain

_OWN = ("fiducial.core", "fiducial.edm", "fiducial.io", "fiducial.framework")
_LARGE = 64 * 1024 * 1024
_IGNORED = ("__pycache__",)


def fingerprint(chain: Chain, seed: int, range_size: int) -> dict[str, str]:
    """The table for a run of this chain."""
    table = {"seed": str(seed), "range": str(range_size), "python": platform.python_version()}
    for named in chain.steps:
        settings = dump(named.step)
        table[f"settings of {named.name}"] = _digest([named.use, settings])
        for path in files_named(settings):
            table[f"file {path}"] = _file_state(path)
    table["collections kept"] = _digest(list(chain.keep))
    table["outputs"] = _digest(chain.canonical()["outputs"])
    for package in sorted({*_OWN, *(top_package(type(s.step)) for s in chain.steps)}):
        table[f"source of {package}"] = source_digest(package)
    for name, found in sorted(library_versions(chain).items()):
        table[f"version of {name}"] = found
    return table


def identity(table: Mapping[str, str]) -> str:
    """One digest of a fingerprint."""
    return _digest(dict(table))


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The names of the entries that differ, in order."""
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def library_versions(chain: Chain) -> dict[str, str]:
    """Versions of the distributions of the steps, and of all that these require directly."""
    names = {s.distribution for s in chain.steps} | {"fiducial-edm", "fiducial-io"}
    for name in sorted(names):
        for requirement in _facts(name)[1]:
            if matched := re.match(r"[A-Za-z0-9._-]+", requirement):
                names.add(re.sub(r"[-_.]+", "-", matched.group()).lower())
    found = {name: _facts(name)[0] for name in names | {"fiducial-framework"}}
    return {name: version for name, version in found.items() if version is not None}


@cache
def _facts(name: str) -> tuple[str | None, tuple[str, ...]]:
    """Version and requirements of a distribution; None for an extra that is not installed."""
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        return None, ()
    return metadata["Version"], tuple(metadata.get_all("Requires-Dist") or ())


def files_named(settings: Any) -> Iterator[Path]:
    """The existing files that texts in a step's settings name."""
    if isinstance(settings, str):
        if 0 < len(settings) < 4096 and "\0" not in settings and "\n" not in settings:
            path = Path(settings)
            try:
                if path.is_file():
                    yield path
            except OSError:  # a text that is no path, such as one too long for a name
                return
    elif isinstance(settings, Mapping):
        for value in settings.values():
            yield from files_named(value)
    elif isinstance(settings, Iterable):
        for value in settings:
            yield from files_named(value)


def top_package(step: type[Step]) -> str:
    """The outermost package of a step's class that is no namespace: ``fiducial.generators``."""
    parts = step.__module__.split(".")
    for length in range(1, len(parts)):
        name = ".".join(parts[:length])
        if getattr(sys.modules.get(name), "__file__", None):
            return name
    return step.__module__


@cache
def source_digest(package: str) -> str:
    """SHA-256 over the names and contents of all files of a package, or of a lone module."""
    module = sys.modules.get(package)
    if module is None:
        __import__(package)
        module = sys.modules[package]
    path = Path(module.__file__ or "")
    digest = hashlib.sha256()
    root = path.parent if path.name == "__init__.py" else path
    files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [path]
    for file in files:
        if any(part in _IGNORED for part in file.parts):
            continue
        name = file.relative_to(root).as_posix() if root.is_dir() else file.name
        digest.update(f"{name}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def _file_state(path: Path) -> str:
    state = path.stat()
    if state.st_size > _LARGE:
        return f"{state.st_size} bytes, changed {state.st_mtime_ns}"
    return sha256_file(path)


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
