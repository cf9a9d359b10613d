"""Choose the wheel of each locked package that fits an interpreter best.

The choice is made here, not left to the installer, so that a build allows exactly one digest a
package, and says before any download which packages have no wheel for this platform.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from fiducial.stack.errors import Mistake, Mistakes
from fiducial.stack.interpreter import Python
from fiducial.stack.lockfile import Lock, LockedPackage
from fiducial.stack.manifest import Platform

_GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_")
_OLD_GLIBC = {"manylinux1_": (2, 5), "manylinux2010_": (2, 12), "manylinux2014_": (2, 17)}


@dataclass(frozen=True)
class ChosenWheel:
    """A locked package and the one wheel of it that will be installed."""

    package: LockedPackage
    filename: str
    sha256: str
    tags: frozenset[Tag]

    @property
    def requirement(self) -> str:
        """The line of a requirements file that allows this wheel only."""
        return f"{self.package.name}=={self.package.version} --hash=sha256:{self.sha256}"


def ranked_tags(python: Python, glibc: str = "", newer: str = "") -> dict[Tag, int]:
    """Tags that ``python`` accepts on this machine, best first, with their rank.

    With ``glibc`` ("2.28") only those that a host with this C library accepts too; behind all of
    these, with ``newer`` ("2.34"), those that only a host with this newer one accepts.
    """
    major, minor = (int(part) for part in python.minor.split("."))
    tags = [
        *cpython_tags((major, minor)),
        *compatible_tags((major, minor), interpreter=f"cp{major}{minor}"),
    ]
    kept = [tag for tag in tags if _runs_on(tag, glibc)]
    kept += [tag for tag in tags if newer and _runs_on(tag, newer) and not _runs_on(tag, glibc)]
    return {tag: rank for rank, tag in enumerate(kept)}


def _runs_on(tag: Tag, glibc: str) -> bool:
    needed = _glibc(tag.platform)
    return not glibc or needed is None or needed <= _version(glibc)


def choose_wheels(
    lock: Lock, python: Python, glibc: str = "", newer: str = ""
) -> list[ChosenWheel]:
    """One wheel for each package that applies to ``python``; all packages without one at once.

    The wheel is for hosts with ``glibc``, or where a package has none, for those with ``newer``.
    """
    ranks = ranked_tags(python, glibc, newer)
    mistakes: list[Mistake] = []
    chosen = []
    for name, package in sorted(lock.applicable(python.markers).items()):
        wheel = _best(package, ranks)
        if wheel is not None:
            chosen.append(wheel)
        else:
            kinds = sorted({file.rsplit("-", 1)[1] for file in package.wheels.values()})
            mistakes.append(
                Mistake(
                    f"{name} {package.version}",
                    f"no wheel for CPython {python.minor} on {_machine()}"
                    + (f" with glibc {newer or glibc}" if glibc else ""),
                    f"the lock has {', '.join(kinds[:6])}",
                )
            )
    if mistakes:
        raise Mistakes(mistakes, f"the lock of {lock.environment} for this platform")
    return chosen


def _best(package: LockedPackage, ranks: dict[Tag, int]) -> ChosenWheel | None:
    best: tuple[int, tuple[int, str], str, str, frozenset[Tag]] | None = None
    for digest, filename in package.wheels.items():
        try:
            _, _, build, tags = parse_wheel_filename(filename)
        except InvalidWheelFilename:
            continue
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is None:
            continue
        newest = (-build[0], build[1]) if build else (0, "")
        candidate = (rank, newest, filename, digest, frozenset(tags))
        if best is None or candidate[:3] < best[:3]:
            best = candidate
    return ChosenWheel(package, best[2], best[3], best[4]) if best else None


def _machine() -> str:
    return f"{platform.system().lower()}-{platform.machine()}"


def platform_of(wheels: Iterable[ChosenWheel]) -> Platform:
    """The platform that a set of wheels asks for: the oldest C library that suits them all.

    The microarchitecture is the one that the wheels' tags promise: the generic one of the
    machine. Packages may use newer instructions where they find them at run time.
    """
    needed = (0, 0)
    for wheel in wheels:
        needs = [_glibc(tag.platform) for tag in wheel.tags]
        needed = max(needed, min((need for need in needs if need), default=(0, 0)))
    return Platform(
        system=platform.system().lower(),
        machine=platform.machine(),
        microarchitecture=platform.machine(),
        libc=f"glibc >= {needed[0]}.{needed[1]}" if needed > (0, 0) else None,
    )


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _glibc(tag: str) -> tuple[int, int] | None:
    for prefix, version in _OLD_GLIBC.items():
        if tag.startswith(prefix):
            return version
    found = _GLIBC.match(tag)
    return (int(found[1]), int(found[2])) if found else None


def libc_of_host() -> tuple[int, int] | None:
    """The C library's version here (glibc only)."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return None
    found = re.match(r"glibc (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None
