"""What a build by Spack depends on, decided from files alone.

An environment's ``spack.yaml`` says what is wanted and by which settings; the recipes say which
files that means. A stack must hold the wheels of the lock, so each recipe has to install exactly
the one that the lock allows on this platform: where it does not, nothing is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fiducial.stack.environment import Environment
from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.files import sha256_bytes, sha256_file
from fiducial.stack.interpreter import Python
from fiducial.stack.spack.names import folder_name, spack_name
from fiducial.stack.spack.recipe_source import read_recipe
from fiducial.stack.spack.recipes import repository
from fiducial.stack.wheel_choice import ChosenWheel
from fiducial.stack.workspace import Workspace
from fiducial.stack.yaml_files import read_yaml

COMPONENTS, WHEELS = "fiducial", "fiducial_wheels"
HOST = "host"
BUNDLE = "fiducial"
"""Our distributions as one package, whose version ``main`` takes any versions of the components."""

SECTIONS = {
    "bootstrap", "ci", "compilers", "concretizer", "config", "definitions", "develop", "env_vars",
    "include", "mirrors", "modules", "packages", "repos", "toolchains", "upstreams", "view",
}  # fmt: skip
"""What Spack reads in a folder that is included: a file for each section of its configuration."""

_DEPENDS = re.compile(r"depends_on\(\s*[\"']([a-z0-9-]+)")
_OURS = re.compile(r"^(fiducial|py-fiducial-[a-z0-9-]+)(@[^\s+~%^]*)?(.*)$")
_OWN_SCOPE = ("include", "develop", "view", "mirrors", "repos")


def definition(workspace: Workspace, environment: Environment) -> dict[str, Any]:
    """``environments/NAME/spack.yaml``: what stands below ``spack:``."""
    path = environment.directory / "spack.yaml"
    if not path.is_file():
        others = sorted(path.parent.name for path in workspace.environments.glob("*/spack.yaml"))
        raise InputError(
            f"environment {environment.name} is not made for Spack",
            "it has no spack.yaml",
            "leave out --builder; " + did_you_mean(environment.name, others),
        )
    data = read_yaml(path)
    found = data.get("spack") if isinstance(data, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("specs"), list):
        raise InputError(f"{path} is no Spack environment", "it has no spack: specs:")
    return found


def included(environment: Environment, wanted: Mapping[str, Any]) -> list[Path]:
    """The files that ``spack.yaml`` includes, except for the host's own scope."""
    paths = []
    for row in wanted.get("include") or []:
        name = row.get("path", "") if isinstance(row, dict) else row
        if isinstance(row, dict) and row.get("name") == HOST:
            continue  # the builder says itself which Python, which store and which mirrors
        path = (environment.directory / str(name)).resolve()
        if path.exists():
            paths.append(path)
        elif not (isinstance(row, dict) and row.get("optional")):
            raise InputError(
                f"{environment.directory / 'spack.yaml'} includes {name}", "there is no such file"
            )
    return paths


def define_inputs(
    workspace: Workspace, environment: Environment, wheels: Sequence[ChosenWheel]
) -> dict[str, Any]:
    """The digests of what the build depends on beyond lock and sources; Mistakes at once."""
    wanted = definition(workspace, environment)
    require_locked(workspace, environment, wheels)
    rows = {key: value for key, value in wanted.items() if key not in ("develop", "view")}
    texts = [json.dumps(rows, sort_keys=True, default=str)]
    for path in included(environment, wanted):
        files = [path]
        if path.is_dir():
            files = sorted(row for row in path.glob("*.yaml") if row.stem in SECTIONS)
        texts += [json.dumps(read_yaml(file), sort_keys=True, default=str) for file in files]
    names = [BUNDLE, *(spack_name(name) for name in environment.components)]
    names += [spack_name(wheel.package.name) for wheel in wheels]
    return {
        "spack.yaml": sha256_bytes("\n".join(texts).encode()),
        "recipes": recipe_digests(workspace, names),
    }


def require_locked(
    workspace: Workspace, environment: Environment, wheels: Sequence[ChosenWheel]
) -> None:
    """Refuse recipes that do not install exactly the wheels that the lock allows here."""
    mistakes: list[Mistake] = []
    for wheel in wheels:
        package = spack_name(wheel.package.name)
        path = recipe_path(workspace, package)
        if path is None:
            mistakes.append(Mistake(package, f"has no recipe, the lock has {wheel.filename}"))
            continue
        recipe = read_recipe(path)
        known = {row.version: row.sha256 for row in recipe.versions}
        if known.get(wheel.package.version) != wheel.sha256:
            installs = recipe.filename if recipe.filename != wheel.filename else "another file"
            mistakes.append(
                Mistake(package, f"its recipe installs {installs}, the lock has {wheel.filename}")
            )
    if mistakes:
        hint = "with the same Python and platform: fiducial recipes sync"
        mistakes.append(Mistake("spack-repo", "the recipes are not those of the lock", hint))
        raise Mistakes(mistakes, f"the recipes of {environment.name}")


def recipe_path(workspace: Workspace, package: str) -> Path | None:
    """The recipe of ``package`` in our repositories; None where it is builtin's."""
    for namespace in (COMPONENTS, WHEELS):
        path = repository(workspace, namespace) / "packages" / folder_name(package) / "package.py"
        if path.is_file():
            return path
    return None


def recipe_digests(workspace: Workspace, names: Iterable[str]) -> dict[str, str]:
    """The digest of each recipe of ours that ``names`` need, also to be built."""
    found: dict[str, str] = {}
    waiting = sorted(set(names))
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        path = recipe_path(workspace, name)
        if path is None:
            continue
        found[name] = sha256_file(path)
        new = set(_DEPENDS.findall(path.read_text(encoding="utf-8"))) - seen
        seen |= new
        waiting += sorted(new)
    return dict(sorted(found.items()))


def environment_document(
    workspace: Workspace,
    environment: Environment,
    sources: Mapping[str, Path],
    python: Python,
    mirrors: Sequence[str],
    places: Mapping[str, Any],
) -> dict[str, Any]:
    """The ``spack.yaml`` of the builder's own environment.

    It has the specs and settings of ``environments/NAME/spack.yaml``. The components come from
    ``sources`` (component -> folder); ``places`` is Spack's ``config`` for this host.
    """
    wanted = definition(workspace, environment)
    versions = {spack_name(name): workspace.components[name].version for name in sources}
    own = {key: value for key, value in wanted.items() if key not in _OWN_SCOPE}
    packages = dict(own.get("packages") or {})
    packages["python"] = {
        **(packages.get("python") or {}),
        "externals": [{"spec": f"python@={python.version}", "prefix": python.base_prefix}],
        "buildable": False,
    }
    repos = {
        name: str((environment.directory / place).resolve()) if isinstance(place, str) else place
        for name, place in (wanted.get("repos") or {}).items()
    }
    return {
        "spack": {
            **own,
            "include": [str(path) for path in included(environment, wanted)],
            "specs": [_pinned(row, versions) for row in wanted["specs"]],
            "view": False,
            "packages": packages,
            "config": {**(own.get("config") or {}), **places},
            "develop": {
                spack_name(name): {
                    "spec": f"{spack_name(name)}@={workspace.components[name].version}",
                    "path": str(path),
                }
                for name, path in sources.items()
            },
            "mirrors": {
                f"fiducial-{number}": {"url": url, "source": True, "binary": False}
                for number, url in enumerate(mirrors, start=1)
            },
            **({"repos": repos} if repos else {}),
        }
    }


def _pinned(row: Any, versions: Mapping[str, str]) -> Any:
    """A spec of a component at the version that the workspace has, of the bundle at any."""
    match = _OURS.match(row) if isinstance(row, str) else None
    if match is not None and match[1] == BUNDLE:
        return f"{BUNDLE}@=main{match[3]}"
    if match is None or match[1] not in versions:
        return row
    return f"{match[1]}@={versions[match[1]]}{match[3]}"
