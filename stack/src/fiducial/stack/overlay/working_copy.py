"""A working copy: a component's folder, what it states and what it holds, read and not imported."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import InputError, Mistake, Mistakes, nearest
from fiducial.stack.files import sha256_file
from fiducial.stack.overlay.record import WorkingCopy
from fiducial.stack.workspace import Component, read_component


@dataclass(frozen=True)
class Copy:
    """A working copy that can be laid over a stack. ``source`` goes onto Python's path."""

    component: Component
    source: Path
    entry_points: dict[str, dict[str, str]]

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def folder(self) -> Path:
        return self.component.directory

    def record(self) -> WorkingCopy:
        """What the overlay remembers of it."""
        digest = sha256_file(self.folder / "pyproject.toml")
        return WorkingCopy(
            name=self.name, version=self.component.version, path=str(self.folder),
            metadata_sha256=digest,
        )  # fmt: skip


def read_copy(path: Path) -> Copy:
    """The working copy at ``path``. Raises InputError, Mistakes where it is not a component."""
    folder = path.resolve()
    metadata = folder / "pyproject.toml"
    if not metadata.is_file():
        beside = [other.parent.name for other in folder.parent.glob("*/pyproject.toml")]
        near = nearest(folder.name, beside)
        hint = f"did you mean {path.parent / near[0]}?" if near else "name a component's folder"
        raise InputError(f"{path} is not a component", "it has no pyproject.toml", hint)
    mistakes: list[Mistake] = []
    component = read_component(metadata, folder, mistakes)
    if component is None:
        raise Mistakes(mistakes, f"the metadata of {path}")
    data = tomllib.loads(metadata.read_text(encoding="utf-8"))
    project = data["project"]
    backend = data.get("build-system", {}).get("build-backend")
    if backend != "hatchling.build":
        raise InputError(
            f"{path} is built by {backend or 'an unnamed program'}",
            "an overlay takes components, which hatchling builds",
        )
    source = folder / "src"
    if not source.is_dir():
        raise InputError(f"{path} has no src folder", "a component's code lies in src/fiducial")
    points = {str(group): dict(rows) for group, rows in project.get("entry-points", {}).items()}
    points["console_scripts"] = dict(project.get("scripts", {}))
    return Copy(component, source, points)


def read_copies(paths: list[Path]) -> dict[str, Copy]:
    """The working copies at ``paths`` by name, sorted; each component once."""
    found: dict[str, Copy] = {}
    for path in paths:
        copy = read_copy(path)
        other = found.get(copy.name)
        if other is not None and other.folder != copy.folder:
            raise InputError(f"two working copies of {copy.name}", f"{other.folder}, {copy.folder}")
        found[copy.name] = copy
    return dict(sorted(found.items()))
