"""Released versions of components: which, and how their source archives are made again.

``spack-repo/releases.yaml`` pins each by the SHA-256 of its archive, the git tree of its folder,
and the blob of the workspace's licence where the folder has none of its own;
``spack-repo/releases/`` keeps the metadata of each (its pyproject.toml), from which recipes are
written. An archive is made from git's history, or from the working tree where that is unchanged,
and is believed for its SHA-256 alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.component_wheel import has_licence, is_source, read_source
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.files import sha256_bytes, write_atomically
from fiducial.stack.git_tree import Repository, find_repository
from fiducial.stack.spack.source_archive import SourceFile, archive_bytes, archive_stem
from fiducial.stack.workspace import Component, Workspace
from fiducial.stack.yaml_files import read_rows

VERSION = re.compile(r"\d+(\.\d+)+")
_PINS = {"sha256": 64, "tree": 40, "licence": 40}


@dataclass(frozen=True)
class ReleasedArchive:
    """A released version. ``licence`` is "" where the component's folder has its own."""

    component: str
    version: str
    sha256: str
    tree: str
    licence: str = ""

    @property
    def filename(self) -> str:
        """What the archive is called."""
        return archive_stem(self.component, self.version) + ".tar.gz"


@dataclass(frozen=True)
class Drift:
    """A component that changed under a released version. ``files`` is empty where unknown."""

    component: Component
    files: tuple[str, ...]


def releases_path(workspace: Workspace) -> Path:
    """Where releases are pinned."""
    return workspace.root / "spack-repo" / "releases.yaml"


def metadata_path(workspace: Workspace, component: str, version: str) -> Path:
    """Where the metadata of a released version is kept."""
    return workspace.root / "spack-repo" / "releases" / f"{component}-{version}.toml"


def released_archives(workspace: Workspace) -> list[ReleasedArchive]:
    """Every released version, by component and version; all mistakes of the list at once."""
    path = releases_path(workspace)
    data = read_rows(path, "components to versions and their pins")
    mistakes: list[Mistake] = []
    found = []
    for name, row in data.items():
        if name not in workspace.components:
            hint = did_you_mean(str(name), workspace.components)
            mistakes.append(Mistake(path.name, f"no component '{name}'", hint))
        for version, pins in row.items():
            where = f"{path.name}: {name} {version}"
            before = len(mistakes)
            if not isinstance(version, str) or not VERSION.fullmatch(version):
                hint = 'write it in quotes: "0.1.0"'
                mistakes.append(Mistake(where, f"{version!r} is no release", hint))
            mistakes += _pin_mistakes(where, pins)
            if len(mistakes) == before:
                found.append(ReleasedArchive(name, version, **pins))
    if mistakes:
        raise Mistakes(mistakes, "the releases")
    return sorted(found, key=lambda row: (row.component, _order(row.version)))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _pin_mistakes(where: str, pins: object) -> list[Mistake]:
    if not isinstance(pins, dict):
        return [Mistake(where, f"{pins!r} is no set of pins", "write: {sha256: …, tree: …}")]
    mistakes = [
        Mistake(where, f"unknown key '{key}'", did_you_mean(str(key), _PINS))
        for key in pins
        if key not in _PINS
    ]
    for key, digits in _PINS.items():
        if key == "licence" and key not in pins:
            continue
        if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", str(pins.get(key))):
            mistakes.append(
                Mistake(where, f"{key} {pins.get(key)!r} is no hash of {digits} digits")
            )
    return mistakes


def render_releases(releases: list[ReleasedArchive]) -> str:
    """The text of releases.yaml."""
    lines = [
        "# Released versions of components: written by `fiducial component release`.",
        "# `fiducial component archive` makes each archive again from git: from the tree of the",
        "# component's folder and the blob of the workspace's licence.",
    ]
    component = ""
    for row in sorted(releases, key=lambda row: (row.component, _order(row.version))):
        if row.component != component:
            component = row.component
            lines.append(f"{component}:")
        lines.append(f'  "{row.version}":')
        lines.append(f'    sha256: "{row.sha256}"')
        lines.append(f'    tree: "{row.tree}"')
        if row.licence:
            lines.append(f'    licence: "{row.licence}"')
    return "\n".join(lines) + "\n"


def files_of_tree(repository: Repository, tree: str, licence: str) -> dict[str, SourceFile]:
    """The files of an archive, from git."""
    listed = {path: row for path, row in repository.files(tree).items() if is_source(path)}
    blobs = repository.blobs([row.blob for row in listed.values()] + ([licence] if licence else []))
    files = {path: SourceFile(blobs[row.blob], row.executable) for path, row in listed.items()}
    if licence:
        files["LICENSE"] = SourceFile(blobs[licence])
    return files


def files_of_folder(workspace: Workspace, component: Component) -> dict[str, SourceFile]:
    """The files of an archive, from the working tree."""
    source = read_source(workspace, component)
    return {
        path: SourceFile(place.read_bytes(), path in source.executable)
        for path, place in source.files.items()
    }


def make_archive(workspace: Workspace, released: ReleasedArchive, target: Path) -> None:
    """Write the archive of a released version to ``target``, whole or not at all.

    Raises EnvironmentProblem where neither git's history nor the working tree has its source.
    """
    data = _from_git(workspace, released) or _from_folder(workspace, released)
    if data is None:
        raise EnvironmentProblem(
            f"the archive of {released.component} {released.version} cannot be made again",
            f"the history lacks its tree {released.tree[:12]}, and the working tree moved on",
            "fetch the whole history: git fetch --unshallow --tags",
        )
    write_atomically(target, data)


def _from_git(workspace: Workspace, released: ReleasedArchive) -> bytes | None:
    repository = find_repository(workspace.root)
    objects = [name for name in (released.tree, released.licence) if name]
    if repository is None or not all(map(repository.has, objects)):
        return None
    files = files_of_tree(repository, released.tree, released.licence)
    data = archive_bytes(archive_stem(released.component, released.version), files)
    if sha256_bytes(data) != released.sha256:
        raise InputError(
            f"the archive of {released.component} {released.version} is not the released one",
            f"git's tree {released.tree[:12]} gives sha256 {sha256_bytes(data)[:12]}…, "
            f"releases.yaml says {released.sha256[:12]}…",
            "releases.yaml was edited, or made by another program",
        )
    return data


def _from_folder(workspace: Workspace, released: ReleasedArchive) -> bytes | None:
    component = workspace.components.get(released.component)
    if component is None or component.version != released.version:
        return None
    data = working_archive(workspace, component)
    return data if sha256_bytes(data) == released.sha256 else None


def working_archive(workspace: Workspace, component: Component) -> bytes:
    """The archive that the working tree would give."""
    files = files_of_folder(workspace, component)
    return archive_bytes(archive_stem(component.name, component.version), files)


def changed_files(
    workspace: Workspace, component: Component, released: ReleasedArchive
) -> list[str]:
    """Files of the working tree that differ from the release; empty where git cannot tell."""
    repository = find_repository(workspace.root)
    if repository is None or not repository.has(released.tree):
        return []
    old = files_of_tree(repository, released.tree, released.licence)
    new = files_of_folder(workspace, component)
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


def drifted(workspace: Workspace) -> list[Drift]:
    """Components that differ from the release of the version they have, and in which files."""
    pins = {(row.component, row.version): row for row in released_archives(workspace)}
    found = []
    for component in workspace.components.values():
        released = pins.get((component.name, component.version))
        if released is None:
            continue
        if sha256_bytes(working_archive(workspace, component)) != released.sha256:
            files = changed_files(workspace, component, released)
            found.append(Drift(component, tuple(files)))
    return found


def needs_licence(files: Mapping[str, object]) -> bool:
    """Whether the workspace's licence has to be added to the files of a folder."""
    return not has_licence(path for path in files if is_source(path))
