"""Copy packages out of Spack's store into one prefix, as the wheel builder would install them.

Spack installs each package into a folder of its own. What belongs to it is what the RECORD in its
``dist-info`` names: these files are copied to the places that they have in a prefix, compiled files
are left behind (they hold paths; the builder makes its own), and anything that no RECORD names
means that the package is more than a Python wheel, and cannot be moved.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes
from fiducial.stack.files import sha256_file
from fiducial.stack.installed import hexadecimal, record
from fiducial.stack.spack.originals import Originals
from fiducial.stack.verify import walk

_SITES = ("lib/python{}/site-packages", "lib64/python{}/site-packages")


@dataclass(frozen=True)
class StoredPackage:
    """A package in the store: ``hash`` is Spack's name for it, ``wheel`` the digest of its wheel.

    ``files`` maps paths in a prefix to those below ``prefix``; ``binaries`` those of shared
    libraries to their path below site-packages and the digest that the wheel states.
    """

    name: str
    version: str
    prefix: Path
    hash: str
    wheel: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    binaries: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_stored(package: StoredPackage, minor: str) -> StoredPackage:
    """``package`` with its files; InputError where there is more than a wheel."""
    name, prefix = package.name, package.prefix
    sites = [pattern.format(minor) for pattern in _SITES]
    infos = {site: sorted((prefix / site).glob("*.dist-info")) for site in sites}
    found = [(site, info) for site, rows in infos.items() for info in rows]
    names = [info.name.removesuffix(".dist-info").rpartition("-") for _, info in found]
    wanted = [(canonicalize_name(name), package.version)]
    if [(canonicalize_name(stem), shown) for stem, _, shown in names] != wanted:
        held = ", ".join(info.name for _, info in found) or "none"
        raise InputError(f"{name} is not one Python distribution", f"{prefix} has {held}")
    site, info = found[0]
    files, binaries, compiled = {}, {}, set()
    for row in record(info):
        below = posixpath.normpath(f"{site}/{row[0]}")
        if row[0].endswith(".pyc") and not (len(row) > 1 and row[1]):
            compiled.add(below)
            continue
        if below.startswith(("../", "/")):
            raise InputError(f"{name} has files outside its own folder", row[0])
        inside = below.startswith(f"{site}/")
        target = sites[0] + below[len(site) :] if inside else below
        files[target] = below
        if inside and ".so" in posixpath.basename(below) and row[1]:
            binaries[target] = (row[0], hexadecimal(row[1]))
    known = set(files.values()) | compiled
    others = [path for path in walk(prefix) if path not in known and not _spacks_own(path)]
    if others:
        listed = ", ".join(sorted(others)[:3]) + (", …" if len(others) > 3 else "")
        raise InputError(f"{name} has files that no wheel brought", listed)
    return replace(package, files=files, binaries=binaries)


def _spacks_own(path: str) -> bool:
    return path.startswith(".spack/") or (path.endswith(".pyc") and "__pycache__/" in path)


def read_all(wanted: Sequence[StoredPackage], minor: str, remedy: str) -> list[StoredPackage]:
    """Every package with its files; all that cannot be laid out at once."""
    found, mistakes = [], []
    for package in wanted:
        try:
            found.append(read_stored(package, minor))
        except FileNotFoundError as error:
            raise _gone(package, str(error.filename), remedy) from error
        except InputError as error:
            mistakes.append(Mistake(error.problem, error.why or ""))
    if mistakes:
        raise Mistakes(mistakes, "the packages: a stack can only be made of Python wheels")
    return found


def _gone(package: StoredPackage, path: str, remedy: str) -> EnvironmentProblem:
    return EnvironmentProblem(f"Spack's store lacks files of {package.name}", path, remedy)


def lay_out(
    packages: Sequence[StoredPackage],
    stage: Path,
    originals: Originals,
    remedy: str,
    advance: Callable[[int], None],
) -> None:
    """Copy the files of ``packages`` into ``stage``; the first of two with one path stays.

    Raises EnvironmentProblem where files are gone from the store.
    """
    for folder in {posixpath.dirname(path) for package in packages for path in package.files}:
        (stage / folder).mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    shares: list[tuple[StoredPackage, list[tuple[str, str]]]] = []
    for package in packages:
        shares.append((package, [row for row in package.files.items() if row[0] not in taken]))
        taken |= package.files.keys()

    def copy(share: tuple[StoredPackage, list[tuple[str, str]]]) -> None:
        package, rows = share
        for path, below in rows:
            source, target = f"{package.prefix}/{below}", f"{stage}/{path}"
            try:
                shutil.copyfile(source, target)
                executable = os.stat(source).st_mode & 0o111  # noqa: PTH116
            except FileNotFoundError as error:
                if Path(source).exists():
                    raise
                raise _gone(package, below, remedy) from error
            if path in package.binaries and package.wheel is not None:
                _restore(package, path, Path(target), originals)
            os.chmod(target, 0o755 if executable else 0o644)  # noqa: PTH101

    with ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 1) + 1)) as pool:
        for _ in pool.map(copy, shares):
            advance(1)


def _restore(package: StoredPackage, path: str, target: Path, originals: Originals) -> None:
    """Undo what Spack did to a shared library."""
    row, stated = package.binaries[path]
    if sha256_file(target) != stated:
        assert package.wheel is not None
        target.write_bytes(originals.read(package.wheel, package.hash, row, stated))
