"""Spack recipes that install binary wheels, written from the wheel locks of the environments.

Each package of the locks becomes one recipe with one version, the locks' own, and the checksum of
the locked wheel for the reference interpreter and platform: an environment built by Spack through
these has the same bytes as one built by the wheel builder. They live in a repository of their
own, ``fiducial_wheels``, because a recipe shadows a source recipe of the same name: sites that
compile from source leave that repository out.

What a package depends on is read from the metadata of its wheel (``wheel_metadata``); what that
cannot tell stands in ``spack-repo/wheels.yaml`` (``wheel_notes``). Neglects: other interpreters
and platforms than the reference's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.tags import Tag, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from fiducial.stack.errors import InputError, Mistake, Mistakes
from fiducial.stack.lockfile import Lock, LockedPackage
from fiducial.stack.spack.component_recipe import template
from fiducial.stack.spack.names import class_name, spack_name
from fiducial.stack.spack.wheel_metadata import WheelMetadata
from fiducial.stack.spack.wheel_notes import Notes

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


@dataclass(frozen=True)
class WheelPackage:
    """A package of the locks: the first environment that has it, and its wheel."""

    environment: str
    locked: LockedPackage
    wheel: WheelFile


def reference_tags(glibc: str, newer: str = "") -> list[Tag]:
    """What the reference host with C library ``glibc`` installs, best first (PEP 425, PEP 600).

    Behind all of these what only hosts with the C library ``newer`` install.
    """
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    oldest = int(glibc.removeprefix("2."))

    def tags(platforms: list[str]) -> list[Tag]:
        abis = [f"cp{PYTHON[0]}{PYTHON[1]}", "abi3", "none"]
        found = list(cpython_tags(PYTHON, abis, platforms))
        return found + [Tag("py3", "none", platform) for platform in platforms]

    platforms = []
    for minor in range(oldest, 4, -1):
        platforms.append(f"manylinux_2_{minor}_x86_64")
        if minor in legacy:
            platforms.append(f"{legacy[minor]}_x86_64")
    kept = tags([*platforms, "linux_x86_64"])
    kept += [Tag("py311", "none", "any"), Tag("py3", "none", "any")]
    if newer:
        last = int(newer.removeprefix("2."))
        kept += tags([f"manylinux_2_{minor}_x86_64" for minor in range(last, oldest, -1)])
    return kept


def choose_wheel(package: LockedPackage, glibc: str, newer: str = "") -> WheelFile:
    """The best wheel of ``package`` for the reference host; InputError where it has none."""
    rank = {tag: place for place, tag in reversed([*enumerate(reference_tags(glibc, newer))])}
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


def union(locks: Mapping[str, tuple[Lock, str, str]]) -> dict[str, WheelPackage]:
    """Every package of the locks with its wheel; refuses locks that disagree on one.

    ``locks`` maps environments to their lock and the C libraries they are for (see
    ``reference_tags``).
    """
    found: dict[str, WheelPackage] = {}
    mistakes: list[Mistake] = []
    for environment, (lock, glibc, newer) in locks.items():
        for name, locked in lock.applicable(MARKERS).items():
            package = WheelPackage(environment, locked, choose_wheel(locked, glibc, newer))
            first = found.setdefault(name, package)
            if first.wheel != package.wheel:
                mistakes.append(
                    Mistake(
                        name,
                        f"{first.environment} has {first.wheel.name}, "
                        f"{environment} has {package.wheel.name}",
                        f"renew the lock: fiducial lock {environment}",
                    )
                )
    if mistakes:
        raise Mistakes(mistakes, "the locks")
    return dict(sorted(found.items()))


def render_wheels(
    packages: Mapping[str, WheelPackage],
    metadata: Mapping[str, WheelMetadata],
    inputs: Iterable[str],
    notes: Mapping[str, Notes],
) -> dict[str, str]:
    """The recipes: Spack's name of each package, and its text.

    ``metadata`` is by SHA-256 of the wheel; ``inputs`` are the requirements that the locks were
    made from. Raises Mistakes with everything that is not in the locks or has no licence.
    """
    known = {name: metadata[package.wheel.sha256] for name, package in packages.items()}
    mistakes: list[Mistake] = []
    needs = _needs(known, inputs, mistakes)
    for name, row in known.items():
        if not row.licence and not notes.get(name, Notes()).licence:
            hint = "say it in spack-repo/wheels.yaml, with the reason"
            mistakes.append(Mistake(name, "its metadata tells no licence", hint))
    if mistakes:
        raise Mistakes(mistakes, "the wheels")
    return {
        spack_name(name): _render(package, known[name], needs[name], notes.get(name, Notes()))
        for name, package in packages.items()
    }


def _needs(
    known: Mapping[str, WheelMetadata], inputs: Iterable[str], mistakes: list[Mistake]
) -> dict[str, list[str]]:
    """What each package depends on, with the extras that others ask of it."""
    extras: dict[str, set[str]] = {name: set() for name in known}
    needs: dict[str, set[str]] = {}
    for text in inputs:
        _want(text, extras)
    waiting = list(known)
    while waiting:
        name = waiting.pop()
        needs[name] = set()
        for requirement in map(Requirement, known[name].requires):
            if not _holds(requirement, extras[name]):
                continue
            target = canonicalize_name(requirement.name)
            if target not in known:
                mistakes.append(Mistake(name, f"it needs {target}, which no lock has"))
                continue
            needs[name].add(spack_name(target))
            if new := requirement.extras - extras[target]:
                extras[target] |= new
                waiting.append(target)
    return {name: sorted(rows) for name, rows in needs.items()}


def _want(text: str, extras: dict[str, set[str]]) -> None:
    """Extras that a definition itself asks of third-party packages."""
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


def _render(package: WheelPackage, metadata: WheelMetadata, needs: list[str], notes: Notes) -> str:
    name = spack_name(package.locked.name)
    summary = metadata.summary or package.locked.name
    return template("wheel.py.j2").render(  # type: ignore[no-any-return]
        body=notes.body,
        class_name=class_name(name),
        environment=package.environment,
        licence=notes.licence or metadata.licence,
        modules=metadata.modules if notes.modules is None else notes.modules,
        needs=needs,
        package=package.locked,
        python=f"{PYTHON[0]}.{PYTHON[1]}" + ("" if not package.wheel.pure else ":"),
        smoke=notes.smoke,
        summary=summary.replace('"', "'").replace("\\", "/"),
        wheel=package.wheel,
    )
