"""Which versions two documents have, whichever builder made them: stacks, wheel and Spack locks.

Packages are compared by their names in Spack (``py-numpy``). Of a wheel lock what applies to the
other side's Python on Linux x86_64 counts, with the components that it was resolved for; of a
Spack lock the Python packages that are linked or run. What else Spack needs is noted and is no
difference: the wheel builder takes interpreter, compilers and libraries from the host or wheels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fiducial.stack.diff.changes import Comparison, PackageChange
from fiducial.stack.lockfile import Lock
from fiducial.stack.manifest import Manifest
from fiducial.stack.spack.lock_graph import SpackLock
from fiducial.stack.spack.names import spack_name

_COMPONENT = re.compile(r"^(?P<name>fiducial-[a-z0-9-]+)(?:\[.*\])? (?P<version>\S+)$")
_PYTHON = "3.11"


@dataclass(frozen=True)
class Inventory:
    """Versions by Spack's names; ``own`` is what the builder needs besides."""

    what: str
    versions: dict[str, str]
    own: tuple[str, ...] = ()


def diff_versions(
    before: Manifest | Lock | SpackLock,
    after: Manifest | Lock | SpackLock,
    names: tuple[str, str],
) -> Comparison:
    """Compare the versions in any two documents; ``names`` are what to call them."""
    python = _python(before) or _python(after) or _PYTHON
    old, new = inventory(before, python), inventory(after, python)
    packages = []
    for name in sorted(old.versions.keys() | new.versions.keys()):
        was, now = old.versions.get(name), new.versions.get(name)
        if was != now:
            kind = "added" if was is None else "removed" if now is None else "changed"
            where = new.what if was is None else old.what
            why = f"only in the {where}" if kind != "changed" else "resolved to another version"
            packages.append(PackageChange(name, kind, was, now, ("lock",), why))
    notes = [
        f"Spack's own in {name}: {', '.join(side.own)}"
        for side, name in zip((old, new), names, strict=True)
        if side.own
    ]
    return Comparison("versions", *names, {}, tuple(packages), notes=tuple(notes))


def inventory(document: Manifest | Lock | SpackLock, python: str = _PYTHON) -> Inventory:
    """The versions in a document, as a wheel lock has them for CPython ``python``."""
    match document:
        case Manifest():
            rows = [row for row in document.packages if row.kind != "interpreter"]
            return Inventory("stack", {spack_name(row.name): row.version for row in rows})
        case Lock():
            return Inventory("wheel lock", _locked(document, python))
        case _:
            used = [document.nodes[dag] for dag in document.used()]
            ours = {node.name: node.version for node in used if node.name.startswith("py-")}
            own = sorted(node.label for node in used if node.name not in ours)
            return Inventory("Spack lock", ours, tuple(own))


def _locked(lock: Lock, python: str) -> dict[str, str]:
    from fiducial.stack.spack.wheel_recipe import MARKERS

    full = python if python.count(".") > 1 else f"{python}.0"
    minor = ".".join(full.split(".")[:2])
    markers = MARKERS | {
        "python_version": minor,
        "python_full_version": full,
        "implementation_version": full,
    }
    found = {name: row.version for name, row in lock.applicable(markers).items()}
    for label in lock.inputs:
        if component := _COMPONENT.match(label):
            found[component["name"]] = component["version"]
    return {spack_name(name): version for name, version in found.items()}


def _python(document: Manifest | Lock | SpackLock) -> str | None:
    match document:
        case Manifest():
            return document.interpreter.version
        case SpackLock():
            nodes = document.nodes.values()
            return next((node.version for node in nodes if node.name == "python"), None)
        case _:
            return None
