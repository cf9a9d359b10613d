"""Spack recipes that install binary wheels, written from a wheel lock.

Each package of a lock becomes one recipe with one version, the lock's own, and the checksum of
the lock's own wheel for the reference interpreter and platform: an environment built by Spack
through these has the same bytes as one built by the wheel builder. They live in a repository of
their own, ``fiducial_wheels``, because a recipe shadows a source recipe of the same name: sites
that compile from source leave that repository out.

What a package depends on is read from the metadata of the installed package, which must be of
the locked version. Neglects: other interpreters and platforms than the reference's.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.tags import Tag, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.lockfile import Lock, LockedPackage
from fiducial.stack.spack.component_recipe import template
from fiducial.stack.spack.licences import licence
from fiducial.stack.spack.names import class_name, spack_name

_HOST = re.compile(r"\s*\([a-z0-9.-]+\.[a-z]{2,}\)")  # a recipe names no host
PYTHON = (3, 11)
MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""The reference host: CPython 3.11 on Linux, x86_64, with the glibc of environments/common."""


@dataclass(frozen=True)
class WheelFile:
    """The wheel of a package for the reference host."""

    name: str
    sha256: str
    pure: bool


def reference_tags(glibc: str) -> list[Tag]:
    """What the reference host with C library ``glibc`` installs, best first (PEP 425, PEP 600)."""
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    platforms = []
    for minor in range(int(glibc.removeprefix("2.")), 4, -1):
        platforms.append(f"manylinux_2_{minor}_x86_64")
        if minor in legacy:
            platforms.append(f"{legacy[minor]}_x86_64")
    platforms.append("linux_x86_64")
    abis = [f"cp{PYTHON[0]}{PYTHON[1]}", "abi3", "none"]
    tags = list(cpython_tags(PYTHON, abis, platforms))
    tags += [Tag("py3", "none", platform) for platform in platforms]
    return [*tags, Tag("py311", "none", "any"), Tag("py3", "none", "any")]


def choose_wheel(package: LockedPackage, glibc: str) -> WheelFile:
    """The best wheel of ``package`` for the reference host; InputError where it has none."""
    rank = {tag: place for place, tag in enumerate(reference_tags(glibc))}
    found = []
    for sha256, name in package.wheels.items():
        if not name.endswith(".whl"):
            continue
        tags = parse_wheel_filename(name)[3]
        if places := [rank[tag] for tag in tags if tag in rank]:
            pure = all(tag.platform == "any" for tag in tags)
            found.append((min(places), name, WheelFile(name, sha256, pure)))
    if not found:
        raise InputError(
            f"{package.name} {package.version} has no wheel for CPython 3.11 on Linux x86_64",
            f"the lock has {', '.join(sorted(package.wheels.values())) or 'none'}",
        )
    return min(found)[2]


def installed(package: LockedPackage) -> importlib.metadata.Distribution:
    """The metadata of a package, as installed beside this program."""
    try:
        distribution = importlib.metadata.distribution(package.name)
    except importlib.metadata.PackageNotFoundError:
        raise _missing(package, "it is not installed") from None
    if distribution.version != package.version:
        raise _missing(package, f"{distribution.version} is installed")
    return distribution


def _missing(package: LockedPackage, why: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the metadata of {package.name} {package.version} cannot be read",
        why,
        "install the environment's lock first (make .venv/.base)",
    )


def render_wheels(lock: Lock, glibc: str) -> dict[str, str]:
    """The recipes of a lock's packages: Spack's name of each, and its text.

    Raises EnvironmentProblem in an interpreter that is not the reference's: what is installed
    there may be of other versions.
    """
    if (sys.version_info[:2], platform.machine()) != (PYTHON, MARKERS["platform_machine"]):
        raise EnvironmentProblem(
            "wheel recipes cannot be generated here",
            "they are read from what CPython 3.11 on x86_64 has installed",
            "use a workspace made with PYTHON=python3.11",
        )
    packages = lock.applicable(MARKERS)
    extras: dict[str, set[str]] = {name: set() for name in packages}
    needs: dict[str, set[str]] = {}
    metadata = {name: installed(package) for name, package in packages.items()}
    waiting = list(packages)
    for row in lock.inputs.values():
        for text in row:
            _want(text, extras)
    while waiting:
        name = waiting.pop()
        needs[name] = set()
        for requirement in map(Requirement, metadata[name].requires or []):
            if not _holds(requirement, extras[name]):
                continue
            target = canonicalize_name(requirement.name)
            if target not in packages:
                raise InputError(f"{name} needs {target}", f"the {lock.environment} lock lacks it")
            needs[name].add(spack_name(target))
            if new := requirement.extras - extras[target]:
                extras[target] |= new
                waiting.append(target)
    return {
        spack_name(name): _render(
            lock, package, choose_wheel(package, glibc), metadata[name], sorted(needs[name])
        )
        for name, package in sorted(packages.items())
    }


def _want(text: str, extras: dict[str, set[str]]) -> None:
    """Extras that the definition itself asks of third-party packages."""
    try:
        requirement = Requirement(text)
    except ValueError:
        return  # rows such as the Python range are not requirements
    if (name := canonicalize_name(requirement.name)) in extras:
        extras[name] |= requirement.extras


def _holds(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**MARKERS, "extra": x}) for x in ("", *sorted(extras)))


def _render(
    lock: Lock,
    package: LockedPackage,
    wheel: WheelFile,
    metadata: importlib.metadata.Distribution,
    needs: list[str],
) -> str:
    name = spack_name(package.name)
    said = metadata.metadata.get_all("Summary") or [package.name]
    summary = " ".join(_HOST.sub("", said[0]).split()).rstrip(".")
    return template("wheel.py.j2").render(  # type: ignore[no-any-return]
        class_name=class_name(name),
        environment=lock.environment,
        licence=licence(metadata),
        modules=import_names(metadata),
        needs=needs,
        package=package,
        python=f"{PYTHON[0]}.{PYTHON[1]}" if not wheel.pure else f"{PYTHON[0]}.{PYTHON[1]}:",
        summary=summary.replace('"', "'").replace("\\", "/"),
        wheel=wheel,
    )


def import_names(distribution: importlib.metadata.Distribution) -> list[str]:
    """The outermost packages and modules that a distribution brings, private ones left out."""
    files = [file for file in distribution.files or () if file.suffix in (".py", ".so")]
    packages = {file.parts[:-1] for file in files if file.name == "__init__.py"}
    outermost = {
        parts for parts in packages if not any(parts[:n] in packages for n in range(1, len(parts)))
    }
    names = {".".join(parts) for parts in outermost}
    names |= {file.name.split(".")[0] for file in files if len(file.parts) == 1}
    return sorted(
        name
        for name in names
        if all(part.isidentifier() and part[0] != "_" for part in name.split("."))
    )
