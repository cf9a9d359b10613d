"""What an overlay shows: the packages of the stack, some of them replaced by working copies.

Everything that the checks look at comes from here: sources, requirements, versions, entry
points. All is read from files; no component is imported.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fiducial.stack.installed import Installed, read_installed, site_packages
from fiducial.stack.manifest import Manifest, Package
from fiducial.stack.overlay.working_copy import Copy


@dataclass(frozen=True)
class View:
    """A stack (``prefix``, ``manifest``) under the working copies ``copies``, by name."""

    prefix: Path
    manifest: Manifest
    copies: dict[str, Copy]

    @cached_property
    def minor(self) -> str:
        """The Python of the stack ("3.11")."""
        return ".".join(self.manifest.interpreter.version.split(".")[:2])

    @cached_property
    def site(self) -> Path:
        """Where the stack's packages lie."""
        return site_packages(self.prefix, self.minor)

    @cached_property
    def packages(self) -> dict[str, Package]:
        """The stack's packages by name."""
        return {package.name: package for package in self.manifest.packages}

    @cached_property
    def installed(self) -> dict[str, Installed]:
        """The metadata of the stack's packages by name."""
        return read_installed(self.prefix, self.minor)

    def names(self) -> list[str]:
        """Every package that is seen, sorted."""
        return sorted(self.packages.keys() | self.copies.keys())

    def version(self, name: str) -> str | None:
        """The version that is seen of a package; None where there is none."""
        if name in self.copies:
            return self.copies[name].component.version
        package = self.packages.get(name)
        return package.version if package else None

    def requirements(self, name: str) -> tuple[Requirement, ...]:
        """What a package asks for, with the markers of its extras."""
        if name in self.copies:
            component = self.copies[name].component
            rows = [str(row) for row in component.dependencies]
            for extra, extras in component.extras.items():
                for row in extras:
                    marker = f'extra == "{extra}"'
                    if row.marker is not None:
                        marker = f"({row.marker}) and {marker}"
                    rows.append(f"{str(row).partition(';')[0].strip()} ; {marker}")
            return tuple(Requirement(row) for row in rows)
        return self.installed[name].requires if name in self.installed else ()

    def needs(self, name: str) -> set[str]:
        """The packages of the view that ``name`` needs, directly."""
        if name not in self.copies:
            package = self.packages.get(name)
            return set(package.requires) if package else set()
        asked: set[str] = {
            canonicalize_name(row.name) for row in self.copies[name].component.dependencies
        }
        if name in self.packages:  # with the extras that the stack was built with
            component = self.copies[name].component
            extras = {
                canonicalize_name(row.name) for rows in component.extras.values() for row in rows
            }
            asked |= extras & set(self.packages[name].requires)
        return asked & set(self.names())

    def closure(self, names: set[str]) -> set[str]:
        """``names`` and everything that they need."""
        found, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self.needs(name))
        return found

    def dependents(self, names: set[str]) -> set[str]:
        """Every package that needs one of ``names``, directly or through others."""
        return {name for name in self.names() if name not in names and self.closure({name}) & names}

    def files(self, name: str, suffix: str) -> Iterator[tuple[str, Path]]:
        """The files of a package with that suffix: path below the import root, and place."""
        if name in self.copies:
            root = self.copies[name].source
            for path in sorted(root.rglob(f"*{suffix}")):
                inside = path.relative_to(root)
                if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                    yield inside.as_posix(), path
            return
        below = self.site.relative_to(self.prefix).as_posix() + "/"
        package = self.packages.get(name)
        for file in package.files if package else ():
            if file.startswith(below) and file.endswith(suffix):
                yield file.removeprefix(below), self.prefix / file

    def entry_points(self, group: str) -> dict[str, str]:
        """Entry points of ``group``: name -> the package that brings it; a copy hides its own
        package of the stack, as it does for Python."""
        found: dict[str, str] = {}
        for copy in self.copies.values():
            found |= dict.fromkeys(copy.entry_points.get(group, {}), copy.name)
        for name in self.packages:
            if name in self.copies or name not in self.installed:
                continue
            for path in self.installed[name].files:
                if not path.endswith(".dist-info/entry_points.txt"):
                    continue
                parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
                parser.optionxform = str  # type: ignore[assignment]
                parser.read(self.prefix / path, encoding="utf-8")
                if parser.has_section(group):
                    for point in parser.options(group):
                        found.setdefault(point, name)
        return found


def import_roots(paths: list[str]) -> list[str]:
    """The packages to import among files given below the path: "fiducial/edm/__init__.py" and
    all below it is "fiducial.edm"; a module "toylib.py" is "toylib"."""
    end = "/__init__.py"
    packages = {path.removesuffix(end) for path in paths if path.endswith(end)}
    roots = {
        package
        for package in packages
        if not any(package.startswith(f"{other}/") for other in packages)
    }
    modules = {path.removesuffix(".py") for path in paths if path.count("/") == 0}
    return sorted(name.replace("/", ".") for name in roots | modules)
