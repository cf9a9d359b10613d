"""Build a component's wheel so that the same source gives the same bytes, and keep it.

The source is copied to a clean place first (regular files only; no tests, caches or hidden
files), so that nothing else can reach the wheel: not the checkout's path, times, permissions,
umask, version control or untracked leftovers. hatchling then builds it with SOURCE_DATE_EPOCH
fixed. Wheels are kept in the user's cache under the digest of that source and of the tool.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import locked, sha256_bytes, sha256_file, write_atomically
from fiducial.stack.tools import clean_environment, run_program
from fiducial.stack.workspace import Component, Workspace

EPOCH = 1577836800  # 2020-01-01T00:00:00Z: the time of every entry in a wheel
_FORMAT = 1
_TOP_LEFT_OUT = {"tests", "benchmarks", "docs", "dist", "build"}
_SUFFIXES_LEFT_OUT = (".pyc", ".pyo", ".nbi", ".nbc", "~", ".egg-info", ".orig", ".rej")


@dataclass(frozen=True)
class ComponentSource:
    """The files that a component's wheel is made of, and their digest."""

    component: Component
    files: dict[str, Path]
    executable: frozenset[str]
    sha256: str


@dataclass(frozen=True)
class ComponentWheel:
    """A built wheel in the cache. ``cached`` tells that nothing had to be built."""

    source: ComponentSource
    path: Path
    sha256: str
    cached: bool


def cache_directory() -> Path:
    """Where built wheels are kept: FIDUCIAL_CACHE_DIR, else the user's cache."""
    named = os.environ.get("FIDUCIAL_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fiducial"


def read_source(workspace: Workspace, component: Component) -> ComponentSource:
    """The source of ``component``: every file by its path in the distribution.

    A component without a licence file of its own gets the workspace's.
    """
    files: dict[str, Path] = {}
    executable = set()
    for folder, folders, names in os.walk(component.directory):
        here = Path(folder)
        top = here == component.directory
        folders[:] = sorted(
            name for name in folders if not _left_out(name) and not (top and name in _TOP_LEFT_OUT)
        )
        for name in sorted(names):
            path = here / name
            if _left_out(name):
                continue
            relative = path.relative_to(component.directory).as_posix()
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path} is not a regular file", None, "remove it")
            files[relative] = path
            if status.st_mode & stat.S_IXUSR:
                executable.add(relative)
    if not has_licence(files):
        licence = workspace.root / "LICENSE"
        if licence.is_file():
            files["LICENSE"] = licence
    rows = [[name, sha256_file(files[name]), name in executable] for name in sorted(files)]
    digest = sha256_bytes(json.dumps(rows).encode())
    return ComponentSource(component, files, frozenset(executable), digest)


def is_source(path: str) -> bool:
    """Whether a file of a component's folder belongs to its source, by its path in the folder."""
    parts = path.split("/")
    return not any(map(_left_out, parts)) and (len(parts) == 1 or parts[0] not in _TOP_LEFT_OUT)


def has_licence(names: Iterable[str]) -> bool:
    """Whether a licence file is among the names of files."""
    return any(name.upper().startswith(("LICENSE", "LICENCE", "COPYING")) for name in names)


def _left_out(name: str) -> bool:
    return name == "__pycache__" or name.startswith((".", "#")) or name.endswith(_SUFFIXES_LEFT_OUT)


def hatchling_version() -> str:
    """Version of hatchling, which is written into each wheel."""
    return importlib.metadata.version("hatchling")


def build_wheels(
    sources: Iterable[ComponentSource], advance: Callable[[int], None] | None = None
) -> list[ComponentWheel]:
    """The wheels of ``sources``, built side by side where the cache does not have them."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        wheels = []
        for wheel in pool.map(build_wheel, sources):
            wheels.append(wheel)
            if advance is not None:
                advance(1)
        return wheels


def build_wheel(source: ComponentSource) -> ComponentWheel:
    """The wheel of one component, from the cache where its source is unchanged."""
    key = json.dumps([_FORMAT, EPOCH, hatchling_version(), source.sha256])
    folder = cache_directory() / "wheels" / sha256_bytes(key.encode())
    with locked(folder.parent / f"{folder.name}.lock"):
        kept = _kept(folder)
        if kept is not None:
            return ComponentWheel(source, *kept, cached=True)
        try:
            with tempfile.TemporaryDirectory(prefix="fiducial-wheel-") as work:
                built = _run_hatchling(source, Path(work))
                path = folder / built.name
                digest = sha256_file(built)
                write_atomically(path, built.read_bytes())
                write_atomically(folder / "sha256", f"{digest}  {path.name}\n")
        except OSError as error:
            if isinstance(error, EnvironmentProblem):
                raise
            raise from_os_error(error, f"build {source.component.name} in") from error
    return ComponentWheel(source, path, digest, cached=False)


def _kept(folder: Path) -> tuple[Path, str] | None:
    """The wheel in the cache, unless it is absent or damaged."""
    try:
        digest, name = (folder / "sha256").read_text().split()
        path = folder / name
        return (path, digest) if sha256_file(path) == digest else None
    except (OSError, ValueError):
        return None


def _run_hatchling(source: ComponentSource, work: Path) -> Path:
    name = source.component.name
    tree, out = work / "source", work / "out"
    for relative, path in source.files.items():
        target = tree / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755 if relative in source.executable else 0o644)
        os.utime(target, (EPOCH, EPOCH))
    environment = clean_environment({"SOURCE_DATE_EPOCH": str(EPOCH), "PYTHONHASHSEED": "0"})
    command = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = run_program(command, cwd=tree, environment=environment)
    wheels = sorted(out.glob("*.whl")) if out.is_dir() else []
    if done.returncode != 0 or len(wheels) != 1:
        said = (done.stderr.strip() or done.stdout.strip()).replace(str(tree), name).splitlines()
        raise InputError(f"cannot build the wheel of {name}", said[-1] if said else "no wheel")
    expected = f"{name.replace('-', '_')}-{source.component.version}-"
    if not wheels[0].name.startswith(expected):
        raise InputError(f"the wheel of {name} is called {wheels[0].name}", f"not {expected}…")
    with zipfile.ZipFile(wheels[0]) as archive:
        if all(".dist-info/" in entry for entry in archive.namelist()):
            raise InputError(
                f"cannot build the wheel of {name}",
                "it would be empty",
                "check tool.hatch.build.targets.wheel.packages in its pyproject.toml",
            )
    return wheels[0]
