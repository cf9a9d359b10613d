"""Cut releases of components: decide, then write.

A release is refused while files of the component are not committed, when its version is released
already with other content, when CHANGELOG.md has no section for it, when a component of the
workspace does not allow it, and when it needs one that has no release. Writing dates the section,
pins the archive in releases.yaml and keeps the metadata. The pinned tree is that of the folder
with the dated section: whoever commits what was written has the released source in the history.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from fiducial.stack.errors import EnvironmentProblem, Mistake, Mistakes
from fiducial.stack.files import sha256_bytes, write_atomically
from fiducial.stack.git_tree import Repository, find_repository, scratch
from fiducial.stack.spack.bundle_recipe import (
    distributions_path,
    read_distributions,
    render_distributions,
)
from fiducial.stack.spack.changelog import UNRELEASED, Section, date_section, find_section
from fiducial.stack.spack.releases import (
    VERSION,
    ReleasedArchive,
    files_of_tree,
    metadata_path,
    needs_licence,
    released_archives,
    releases_path,
    render_releases,
    working_archive,
)
from fiducial.stack.spack.source_archive import archive_bytes, archive_stem
from fiducial.stack.workspace import Component, Workspace


@dataclass(frozen=True)
class ReleasePlan:
    """What releasing would write, and what stands released already as it is."""

    workspace: Workspace
    new: tuple[ReleasedArchive, ...]
    standing: tuple[ReleasedArchive, ...]
    distribution: str
    texts: dict[Path, bytes]


def plan_release(
    workspace: Workspace,
    names: Iterable[str],
    day: datetime.date | None,
    again: bool = False,
    distribution: str = "",
) -> ReleasePlan:
    """Decide how to release the components ``names``; writes nothing.

    ``day`` is written into CHANGELOG.md (None leaves it as it is). With ``again`` a version that
    is released already is pinned anew where it changed or its section has no day yet.
    ``distribution`` is a version of the distribution, to be made of the versions that all
    components now have. Raises Mistakes with every reason to refuse at once.
    """
    repository = find_repository(workspace.root)
    if repository is None:
        raise EnvironmentProblem(
            f"{workspace.root} is no git repository", "a release is a commit's content"
        )
    before = {(row.component, row.version): row for row in released_archives(workspace)}
    components = [workspace.component(name) for name in dict.fromkeys(names)]
    mistakes: list[Mistake] = []
    new: list[ReleasedArchive] = []
    standing: list[ReleasedArchive] = []
    texts: dict[Path, bytes] = {}
    for component in components:
        old = before.get((component.name, component.version))
        anew = again and day is not None and _undated(component)
        if old is not None and not anew and _stands(workspace, component, old):
            standing.append(old)
            continue
        found = _mistakes(workspace, repository, component, old if not again else None)
        found += _range_mistakes(workspace, component, before, components)
        mistakes += found
        if not found:
            new.append(_release(workspace, repository, component, day, texts))
    pins = {**before, **{(row.component, row.version): row for row in new}}
    if distribution and not mistakes:
        mistakes += _distribute(workspace, distribution, list(pins.values()), again, texts)
    if mistakes:
        raise Mistakes(mistakes, "what is to be released")
    if new:
        texts[releases_path(workspace)] = render_releases(list(pins.values())).encode()
    return ReleasePlan(workspace, tuple(new), tuple(standing), distribution, texts)


def _distribute(
    workspace: Workspace,
    version: str,
    releases: list[ReleasedArchive],
    again: bool,
    texts: dict[Path, bytes],
) -> list[Mistake]:
    """Add a version of the distribution to ``texts``; what forbids it."""
    where = f"distribution {version}"
    if not VERSION.fullmatch(version):
        return [Mistake(where, "is no release version", "write it as 1.2.3")]
    known = {(row.component, row.version) for row in releases}
    wanted = {component.name: component.version for component in workspace.components.values()}
    mistakes = [
        Mistake(where, f"{name} {chosen} is not released", "release it with the others")
        for name, chosen in wanted.items()
        if (name, chosen) not in known
    ]
    listed = read_distributions(workspace, releases)
    if listed.get(version, wanted) != wanted and not again:
        mistakes.append(Mistake(where, "is listed already, with other components", "raise it"))
    if listed.get(version) != wanted:
        text = render_distributions({**listed, version: wanted})
        texts[distributions_path(workspace)] = text.encode()
    return mistakes


def write_release(plan: ReleasePlan) -> None:
    """Write what ``plan`` decided; the pins last, so that an interrupted release is none."""
    for path, data in plan.texts.items():
        write_atomically(path, data)


def _mistakes(
    workspace: Workspace, repository: Repository, component: Component, old: ReleasedArchive | None
) -> list[Mistake]:
    """Why the component as it stands is no release."""
    where = f"{component.name} {component.version}"
    if old is not None:
        problem, hint = "is released already, with other content", "raise its version"
        return [
            Mistake(where, problem, f"{hint} in {_folder(workspace, component)}/pyproject.toml")
        ]
    mistakes = []
    if not VERSION.fullmatch(component.version):
        mistakes.append(Mistake(where, "is no release version", "write it as 1.2.3"))
    left = repository.uncommitted([_folder(workspace, component), "LICENSE"])
    if left:
        shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
        mistakes.append(Mistake(where, f"is not committed: {shown}", "commit it, or take it back"))
    section = _section(component)
    if section is None or section.empty:
        problem = "no section for it" if section is None else "an empty section for it"
        hint = f"write '## {component.version} ({UNRELEASED})' and what users will see"
        mistakes.append(Mistake(where, f"CHANGELOG.md has {problem}", hint))
    return mistakes


def _section(component: Component) -> Section | None:
    """The section of the changelog for the version that the component has."""
    changelog = component.directory / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    return find_section(text, component.version)


def _stands(workspace: Workspace, component: Component, old: ReleasedArchive) -> bool:
    """Whether the working tree is what was released."""
    return sha256_bytes(working_archive(workspace, component)) == old.sha256


def _undated(component: Component) -> bool:
    section = _section(component)
    return section is not None and section.when == UNRELEASED


def _range_mistakes(
    workspace: Workspace,
    component: Component,
    before: Iterable[tuple[str, str]],
    together: list[Component],
) -> list[Mistake]:
    """Components that do not allow this version, and components that it needs and has not."""
    where = f"{component.name} {component.version}"
    mistakes = []
    for other in workspace.components.values():
        for requirement in other.needs(frozenset(other.extras)):
            ours = canonicalize_name(requirement.name) == component.name
            if ours and component.version not in requirement.specifier:
                hint = f"widen the range in {_folder(workspace, other)}/pyproject.toml"
                mistakes.append(Mistake(where, f"{other.name} needs {requirement}", hint))
    available = {*before, *((row.name, row.version) for row in together)}
    for requirement in component.needs(frozenset(component.extras)):
        needed = canonicalize_name(requirement.name)
        versions = [version for name, version in available if name == needed]
        if needed in workspace.components and not any(v in requirement.specifier for v in versions):
            problem = f"it needs {requirement}, of which there is no release"
            mistakes.append(Mistake(where, problem, f"release {needed} with it"))
    return mistakes


def _release(
    workspace: Workspace,
    repository: Repository,
    component: Component,
    day: datetime.date | None,
    texts: dict[Path, bytes],
) -> ReleasedArchive:
    """The pins of a release; what is to be written goes to ``texts``."""
    folder = _folder(workspace, component)
    changed = {}
    if day is not None:
        path = component.directory / "CHANGELOG.md"
        text = path.read_text(encoding="utf-8")
        section = find_section(text, component.version)
        assert section is not None, "found before"
        changed["CHANGELOG.md"] = date_section(text, section, day).encode()
        texts[path] = changed["CHANGELOG.md"]
    with scratch(repository) as apart:
        tree = apart.tree(folder, changed)
        licence = ""
        if needs_licence(apart.files(tree)):
            licence = apart.text("rev-parse", "HEAD:LICENSE")
        files = files_of_tree(apart, tree, licence)
    metadata = (component.directory / "pyproject.toml").read_bytes()
    texts[metadata_path(workspace, component.name, component.version)] = metadata
    data = archive_bytes(archive_stem(component.name, component.version), files)
    digest = sha256_bytes(data)
    return ReleasedArchive(component.name, component.version, digest, tree, licence)


def _folder(workspace: Workspace, component: Component) -> str:
    return component.directory.relative_to(workspace.root).as_posix()
