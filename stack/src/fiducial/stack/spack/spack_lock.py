"""The committed lock of an environment for Spack: is it fresh, and what would renew it.

A lock is fresh while all that it was made from stands: the definition, every recipe of ours that it
uses, the pinned commits, and, where Spack is at hand, builtin's recipes. Whether it is needs no
Spack. A stale one is refused with all that moved; Spack itself would install new content under old
hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import InputError, Mistake, Mistakes
from fiducial.stack.files import write_atomically
from fiducial.stack.spack.concretize import concretize, lock_digest
from fiducial.stack.spack.lock_graph import SpackLock, parse_spack_lock, read_spack_lock
from fiducial.stack.spack.lock_inputs import (
    OURS,
    LockInputs,
    by_namespace,
    our_recipes,
    read_inputs,
    recipe_path,
    render_inputs,
    their_recipes,
    used_build_systems,
)
from fiducial.stack.spack.pins import read_spack_pins
from fiducial.stack.spack.program import Spack, git_commit
from fiducial.stack.spack.recipe_digest import recipe_versions
from fiducial.stack.spack.recipes import repository
from fiducial.stack.spack.spack_environment import SpackEnvironment, load_spack_environment
from fiducial.stack.spack.version_order import is_downgrade
from fiducial.stack.workspace import Workspace


@dataclass(frozen=True)
class NewLock:
    """A lock that was made: its bytes, the text beside it, and what it holds."""

    environment: SpackEnvironment
    data: bytes
    inputs: str
    lock: SpackLock

    def write(self) -> None:
        """Put both files in place; what is said beside the lock comes last, and names it."""
        write_atomically(self.environment.lock_path, self.data)
        write_atomically(self.environment.inputs_path, self.inputs)


def make_lock(workspace: Workspace, name: str, spack: Spack) -> NewLock:
    """Concretize ``name`` anew with the Spack and the recipes that are pinned."""
    environment = load_spack_environment(workspace, name)
    builtin = spack.recipes()
    commits = {"spack": spack.commit, "builtin": git_commit(builtin)}
    wrong = [
        f"{part} is at {commits[part] or 'no commit'}, pins.yaml names {commit}"
        for part, commit in read_spack_pins(workspace).items()
        if commits[part] != commit
    ]
    if wrong:
        hint = "check these commits out, or pin others in environments/pins.yaml"
        raise InputError(f"cannot lock {name} with this Spack", "; ".join(wrong), hint)
    data = concretize(workspace, environment, spack)
    lock = parse_spack_lock(data, f"the new lock of {name}")
    recipes = {
        space: our_recipes(workspace, rows, space)
        if space in OURS
        else their_recipes(builtin, rows)
        for space, rows in by_namespace(lock).items()
    }
    inputs = LockInputs(
        lock_sha256=lock_digest(data),
        spack={"version": spack.version, "commit": str(spack.commit)},
        builtin={"commit": str(commits["builtin"])},
        definition=environment.digests,
        recipes=recipes,
        build_systems=used_build_systems(workspace, lock, builtin),
    )
    return NewLock(environment, data, render_inputs(name, inputs), lock)


def check_lock(workspace: Workspace, name: str, spack: Spack | None = None) -> SpackLock:
    """The committed lock of ``name``; Mistakes with all that moved since it was made.

    Without ``spack`` builtin's recipes are not looked at.
    """
    environment = load_spack_environment(workspace, name)
    if environment.developed:
        why = "it installs from the checkout, whose path is in the hashes"
        raise InputError(f"{name} has no lock", why, "concretize it where it is used")
    lock = read_spack_lock(environment.lock_path)
    inputs = read_inputs(environment.inputs_path)
    mistakes = list(_moved(workspace, environment, lock, inputs))
    if spack is not None:
        mistakes += _moved_in_builtin(workspace, lock, inputs, spack)
    if mistakes:
        raise Mistakes(mistakes, f"the Spack lock of {name}")
    return lock


def require_fresh_spack_lock(
    workspace: Workspace, name: str, spack: Spack | None = None
) -> SpackLock:
    """The committed lock of ``name``; InputError with all that moved where it is stale."""
    try:
        return check_lock(workspace, name, spack)
    except Mistakes as found:
        listed = "\n".join(f"  {mistake}" for mistake in found.mistakes)
        raise InputError(
            f"the Spack lock of {name} is stale",
            f"{len(found.mistakes)} things moved since it was made",
            f"renew it with: fiducial lock {name} --builder spack\n{listed}",
        ) from found


def refuse_stale_lock(workspace: Workspace, folder: Path, spack: Spack | None = None) -> None:
    """Refuse the committed lock in ``folder`` where it is stale, before anything is made of it.

    A lock that a site made for itself is not the one that is described beside it, and passes: it
    was made from the recipes as they stood there.
    """
    lock, beside = folder / "spack.lock", folder / "spack.lock.inputs.yaml"
    if folder.parent.resolve() != workspace.environments.resolve() or not beside.is_file():
        return
    read_spack_lock(lock)
    if lock_digest(lock.read_bytes()) == read_inputs(beside).lock_sha256:
        require_fresh_spack_lock(workspace, folder.name, spack)


def _moved(
    workspace: Workspace, environment: SpackEnvironment, lock: SpackLock, inputs: LockInputs
) -> Iterator[Mistake]:
    if lock_digest(environment.lock_path.read_bytes()) != inputs.lock_sha256:
        hint = "restore both files, or make them anew"
        yield Mistake("spack.lock", "is not the lock that spack.lock.inputs.yaml is for", hint)
    yield from _compare("definition", inputs.definition, environment.digests)
    given = {"spack": inputs.spack.get("commit"), "builtin": inputs.builtin.get("commit")}
    for part, commit in read_spack_pins(workspace).items():
        if given[part] != commit:
            problem = (
                f"pins.yaml names {commit[:12]}, the lock was made with {str(given[part])[:12]}"
            )
            yield Mistake(part, problem)
    for space, rows in by_namespace(lock).items():
        then = inputs.recipes.get(space, {})
        listed = {f"{package}@{version}" for package, version in rows}
        for label in sorted(listed - then.keys()):
            yield Mistake(f"{space}.{label}", "has no digest beside the lock")
        if space in OURS:
            now = our_recipes(workspace, rows, space)
            yield from _compare(space, {key: then[key] for key in listed & then.keys()}, now)
    yield from _newer(workspace, lock)


def _newer(workspace: Workspace, lock: SpackLock) -> Iterator[Mistake]:
    """Roots of ours that have been released in a newer version than the locked one."""
    for dag, spec in lock.roots.items():
        node = lock.nodes[dag]
        if node.content["namespace"] != "fiducial" or "@" in spec:
            continue
        path = recipe_path(repository(workspace, "fiducial"), node.name)
        versions = recipe_versions(path) if path.is_file() else {}
        bundle = not any(versions.values())
        released = [
            version
            for version, checksum in versions.items()
            if (checksum or bundle) and version[0].isdigit()
        ]
        if node.version not in versions:
            have = ", ".join(versions) or "none"
            yield Mistake(node.label, f"the recipe has no such version (it has {have})")
        newer = [version for version in released if is_downgrade(version, node.version)]
        if newer:
            yield Mistake(node.label, f"{', '.join(newer)} has been released since")


def _moved_in_builtin(
    workspace: Workspace, lock: SpackLock, inputs: LockInputs, spack: Spack
) -> Iterator[Mistake]:
    """Recipes of builtin that are not what they were: none, where its commit is the same."""
    root: Path = spack.recipes()
    for space, rows in by_namespace(lock).items():
        if space not in OURS:
            yield from _compare(space, inputs.recipes.get(space, {}), their_recipes(root, rows))
    now = used_build_systems(workspace, lock, root)
    yield from _compare("builtin build system", inputs.build_systems, now)


def _compare(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Mistake]:
    for label in sorted(then.keys() | now.keys()):
        if label not in now:
            yield Mistake(f"{what} {label}", "is gone")
        elif label not in then:
            yield Mistake(f"{what} {label}", "is new")
        elif then[label] != now[label]:
            yield Mistake(f"{what} {label}", "changed")
