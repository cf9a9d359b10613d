"""All generated recipes of the workspace: what they should say, and whether they do.

Two repositories under spack-repo/spack_repo/: ``fiducial`` (one recipe a component, written from
its pyproject.toml, and the bundle of them all) and ``fiducial_wheels`` (one recipe a locked wheel,
and the table of what was read from the wheels). Recipes by hand may stand beside the generated
ones; only files that carry the mark of the generator are ever removed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.environment import load_environment
from fiducial.stack.errors import InputError, Mistake, Mistakes, NegativeAnswer
from fiducial.stack.files import write_atomically
from fiducial.stack.lock import require_fresh_lock
from fiducial.stack.spack.bundle_recipe import read_distributions, render_bundle
from fiducial.stack.spack.component_recipe import render_component
from fiducial.stack.spack.names import folder_name, spack_name
from fiducial.stack.spack.releases import ReleasedArchive, released_archives
from fiducial.stack.spack.wheel_metadata import (
    WantedWheel,
    WheelMetadata,
    read_table,
    render_table,
    table_path,
)
from fiducial.stack.spack.wheel_notes import read_notes
from fiducial.stack.spack.wheel_recipe import render_wheels, union
from fiducial.stack.workspace import Workspace

MARK = "# Generated from "
WHEEL_ENVIRONMENTS = ("base", "detector-study", "gpu")
"""Environments whose wheels have recipes; where they share one, the first is named in it."""
Reader = Callable[[list[WantedWheel]], dict[str, WheelMetadata]]


@dataclass(frozen=True)
class RecipeChange:
    """One recipe that does not stand as it should. ``new`` is None where it should go."""

    path: Path
    old: str | None
    new: str | None

    @property
    def name(self) -> str:
        """What it is called: the recipe's folder, or the file that is none."""
        return self.path.parent.name if self.path.name == "package.py" else self.path.name

    @property
    def kind(self) -> str:
        """``missing``, ``superfluous`` or ``differs``."""
        if self.old is None:
            return "missing"
        return "superfluous" if self.new is None else "differs"

    def difference(self) -> list[str]:
        """The lines that differ."""
        old, new = (self.old or "").splitlines(), (self.new or "").splitlines()
        return [
            line
            for line in difflib.unified_diff(old, new, lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]


def repository(workspace: Workspace, namespace: str) -> Path:
    """Where the Spack repository ``namespace`` lies."""
    return workspace.root / "spack-repo" / "spack_repo" / namespace


def generate(workspace: Workspace, read: Reader | None = None) -> dict[Path, str]:
    """Every generated recipe, by the path it belongs at.

    ``read`` reads wheels that were never read before (``wheel_metadata.fetch``, from the package
    index); without it they are a NegativeAnswer.
    """
    released: dict[str, list[ReleasedArchive]] = {}
    archives = released_archives(workspace)
    for row in archives:
        released.setdefault(row.component, []).append(row)
    texts: dict[Path, str] = {}
    mistakes: list[Mistake] = []
    for component in workspace.components.values():
        package = spack_name(component.name)
        path = _path(workspace, "fiducial", package)
        try:
            releases = tuple(released.get(component.name, ()))
            texts[path] = render_component(workspace, component, releases)
        except Mistakes as found:
            mistakes += found.mistakes
    if mistakes:
        raise Mistakes(mistakes, "the recipes")
    distributions = read_distributions(workspace, archives)
    if distributions:
        texts[_path(workspace, "fiducial", "fiducial")] = render_bundle(workspace, distributions)
    texts |= _wheels(workspace, read)
    return texts


def _wheels(workspace: Workspace, read: Reader | None) -> dict[Path, str]:
    """The recipes of wheels, and the table of what was read from the wheels."""
    locks, inputs = {}, []
    for name in WHEEL_ENVIRONMENTS:
        environment = load_environment(workspace, name)
        if not environment.glibc:
            hint = "set 'glibc' in environments/common/wheels.yaml"
            raise InputError("wheels for which C library?", None, hint)
        lock = require_fresh_lock(environment)
        locks[name] = (lock, environment.glibc, environment.newer_glibc)
        inputs += [text for row in lock.inputs.values() for text in row]
    packages = union(locks)
    path = table_path(workspace)
    kept = read_table(path)
    wanted = [
        WantedWheel(name, package.locked.version, package.wheel.sha256)
        for name, package in packages.items()
    ]
    missing = [wheel for wheel in wanted if wheel.sha256 not in kept]
    if missing and read is None:
        raise NegativeAnswer(
            f"{len(missing)} wheels of the locks have no recipe yet",
            ", ".join(wheel.name for wheel in missing[:8]) + (" …" if len(missing) > 8 else ""),
            "write them with: fiducial recipes sync",
        )
    if missing and read is not None:
        kept |= read(missing)
    table = {wheel.sha256: kept[wheel.sha256] for wheel in wanted}
    notes = read_notes(workspace, packages)
    texts = {path: render_table(table)}
    for package, text in render_wheels(packages, table, inputs, notes).items():
        texts[_path(workspace, "fiducial_wheels", package)] = text
    return texts


def compare(workspace: Workspace, read: Reader | None = None) -> list[RecipeChange]:
    """What ``fiducial recipes sync`` would change, in order of path."""
    wanted = generate(workspace, read)
    standing = {}
    if (table := table_path(workspace)).is_file():
        standing[table] = table.read_text(encoding="utf-8")
    for namespace in ("fiducial", "fiducial_wheels"):
        for path in repository(workspace, namespace).glob("packages/*/package.py"):
            text = path.read_text(encoding="utf-8")
            if path in wanted or text.startswith(MARK):
                standing[path] = text
    return [
        RecipeChange(path, standing.get(path), wanted.get(path))
        for path in sorted(wanted.keys() | standing.keys())
        if standing.get(path) != wanted.get(path)
    ]


def apply(changes: list[RecipeChange]) -> None:
    """Write, renew and remove recipes."""
    for change in changes:
        if change.new is None:
            change.path.unlink()
            if not any(change.path.parent.iterdir()):
                change.path.parent.rmdir()
        else:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(change.path, change.new.encode())


def _path(workspace: Workspace, namespace: str, package: str) -> Path:
    folder = repository(workspace, namespace) / "packages" / folder_name(package)
    return folder / "package.py"
