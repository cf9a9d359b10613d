"""What a ``spack.lock`` was made from, said beside it: ``spack.lock.inputs.yaml``.

Spack's lock names the commit of Spack, but no commit and no content of any recipe: installed after
a recipe was edited it would put new content under an old hash. So we say of each lock the commits
of Spack and of its builtin recipes, a digest of every recipe and build system that it uses, and one
of every file of the environment's definition. Layout: docs/formats/spack-lock.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import InputError, Mistake, Mistakes, from_os_error
from fiducial.stack.spack.lock_graph import SpackLock
from fiducial.stack.spack.names import folder_name
from fiducial.stack.spack.recipe_digest import build_systems, folder_digest, recipe_digest
from fiducial.stack.spack.recipes import repository
from fiducial.stack.workspace import Workspace
from fiducial.stack.yaml_files import read_yaml

FORMAT = 1
OURS = ("fiducial", "fiducial_wheels")
_HEADER = "# Made by `fiducial lock {name} --builder spack`. Do not edit.\n"


@dataclass(frozen=True)
class LockInputs:
    """The inputs of one lock. ``recipes``: namespace -> ``name@version`` -> SHA-256."""

    lock_sha256: str
    spack: Mapping[str, str]
    builtin: Mapping[str, str]
    definition: Mapping[str, str] = field(repr=False)
    recipes: Mapping[str, Mapping[str, str]] = field(repr=False)
    build_systems: Mapping[str, str] = field(repr=False)


def recipe_path(repository_root: Path, package: str) -> Path:
    """The file of a recipe below a repository of API v2."""
    return repository_root / "packages" / folder_name(package) / "package.py"


def by_namespace(lock: SpackLock) -> dict[str, list[tuple[str, str]]]:
    """Names and versions of a lock's packages, by namespace."""
    found: dict[str, list[tuple[str, str]]] = {}
    for node in lock.nodes.values():
        rows = found.setdefault(str(node.content["namespace"]), [])
        rows.append((node.name, node.version))
    return {space: sorted(set(rows)) for space, rows in sorted(found.items())}


def our_recipes(
    workspace: Workspace, packages: Iterable[tuple[str, str]], namespace: str
) -> dict[str, str]:
    """Digests of our recipes as the checkout has them; those that it lacks are left out."""
    found = {}
    for package, version in packages:
        path = recipe_path(repository(workspace, namespace), package)
        if path.is_file():
            found[f"{package}@{version}"] = recipe_digest(path, version)
    return found


def their_recipes(root: Path, packages: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Digests of another repository's recipes; those that it lacks are left out."""
    found = {}
    for package, version in packages:
        folder = recipe_path(root, package).parent
        if folder.is_dir():
            found[f"{package}@{version}"] = folder_digest(folder)
    return found


def used_build_systems(workspace: Workspace, lock: SpackLock, builtin: Path) -> dict[str, str]:
    """Digests of builtin's build systems that any recipe of the lock inherits."""
    paths = []
    for space, packages in by_namespace(lock).items():
        root = repository(workspace, space) if space in OURS else builtin
        paths += [path for name, _ in packages if (path := recipe_path(root, name)).is_file()]
    return build_systems(paths, builtin)


def render_inputs(name: str, inputs: LockInputs) -> str:
    """The text of the file beside the lock."""
    data = {
        "format": FORMAT,
        "lock_sha256": inputs.lock_sha256,
        "spack": dict(inputs.spack),
        "builtin": dict(inputs.builtin),
        "definition": dict(inputs.definition),
        "recipes": {space: dict(rows) for space, rows in inputs.recipes.items()},
        "build_systems": dict(inputs.build_systems),
    }
    text = yaml.safe_dump(data, sort_keys=False, width=1000, default_flow_style=False)
    return _HEADER.format(name=name) + text


def read_inputs(path: Path) -> LockInputs:
    """The file beside a lock; all that is wrong with it at once."""
    try:
        data = read_yaml(path)
    except FileNotFoundError as error:
        hint = f"make it with: fiducial lock {path.parent.name} --builder spack --anew"
        raise InputError(f"no {path.name} beside the lock", str(path.parent), hint) from error
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        given = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise InputError(f"{path} has format {given!r}", f"this program reads {FORMAT}")
    mistakes: list[Mistake] = []

    def table(key: str, rows: Any, where: str = "") -> dict[str, str]:
        good = isinstance(rows, dict) and all(
            isinstance(name, str) and isinstance(value, str) for name, value in rows.items()
        )
        if not good:
            mistakes.append(Mistake(f"{path.name}: {where}{key}", "must map names to text"))
        return dict(rows) if good else {}

    recipes = data.get("recipes")
    if not isinstance(recipes, dict):
        mistakes.append(Mistake(f"{path.name}: recipes", "must be a mapping"))
        recipes = {}
    if not isinstance(data.get("lock_sha256"), str):
        mistakes.append(Mistake(f"{path.name}: lock_sha256", "is missing"))
    inputs = LockInputs(
        lock_sha256=str(data.get("lock_sha256")),
        spack=table("spack", data.get("spack")),
        builtin=table("builtin", data.get("builtin")),
        definition=table("definition", data.get("definition")),
        recipes={str(key): table(str(key), rows, "recipes.") for key, rows in recipes.items()},
        build_systems=table("build_systems", data.get("build_systems")),
    )
    if mistakes:
        raise Mistakes(mistakes, str(path))
    return inputs
