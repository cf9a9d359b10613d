"""What an environment needs of a source mirror: decided from its two locks, without Spack.

The wheel lock names the wheels for the reference host. The Spack lock names packages: a recipe
of ours says which file it takes; what builtin's recipes take is kept, as far as it is known, in
spack-repo/builtin-sources.yaml (Spack adds pip and wheel to whatever it installs for Python).
The rest only Spack itself can name. Pure: reads the checkout, touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.environment import load_environment
from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.files import write_atomically
from fiducial.stack.lock import require_fresh_lock
from fiducial.stack.spack.lock_graph import Node, SpackLock, read_spack_lock
from fiducial.stack.spack.mirror_layout import Origin, Source, mirror_source
from fiducial.stack.spack.names import folder_name, spack_name
from fiducial.stack.spack.recipe_source import read_recipe
from fiducial.stack.spack.recipes import repository
from fiducial.stack.spack.spack_lock import refuse_stale_lock
from fiducial.stack.spack.wheel_recipe import MARKERS, choose_wheel
from fiducial.stack.workspace import Workspace

BUILDERS = ("wheels", "spack")
OURS = ("fiducial", "fiducial_wheels")
NO_SOURCE = ("python-venv", "gcc-runtime", "glibc")
"""Packages of builtin that are made of what the host has, and fetch nothing."""


@dataclass(frozen=True)
class Wanted:
    """Files by path; packages that only Spack can name the files of; sources in this checkout."""

    environment: str
    sources: tuple[Source, ...]
    unknown: tuple[Node, ...]
    developed: tuple[str, ...]
    wheels_lock_sha256: str | None
    spack_lock_sha256: str | None


def want(workspace: Workspace, name: str, builders: tuple[str, ...] = BUILDERS) -> Wanted:
    """What environment ``name`` needs for ``builders``, as far as it has locks for them.

    Raises InputError where there is none, or where a single builder is asked for and its lock
    is not there.
    """
    for builder in builders:
        if builder not in BUILDERS:
            raise InputError(f"no builder '{builder}'", None, did_you_mean(builder, BUILDERS))
    folder = workspace.environments / name
    spack_path, wheels_in = folder / "spack.lock", folder / "wheels.in"
    if not wheels_in.is_file() and not (folder / "spack.yaml").is_file():
        names = {path.parent.name for path in workspace.environments.glob("*/*.in")}
        names |= {path.parent.name for path in workspace.environments.glob("*/spack.yaml")}
        raise InputError(f"no environment '{name}'", None, did_you_mean(name, names))
    with_wheels = "wheels" in builders and (wheels_in.is_file() or builders == ("wheels",))
    with_spack = "spack" in builders and (spack_path.is_file() or builders == ("spack",))
    if not with_wheels and not with_spack:
        hint = f"make one: fiducial lock {name} --builder spack"
        raise InputError(f"environment {name} has no lock", f"no {spack_path}", hint)
    found: dict[str, Source] = {}
    unknown: list[Node] = []
    developed: list[str] = []
    wheels_sha256 = spack_sha256 = None
    if with_wheels:
        environment = load_environment(workspace, name)
        if not environment.glibc:
            hint = "set 'glibc' in environments/common/wheels.yaml"
            raise InputError("wheels for which C library?", None, hint)
        lock = require_fresh_lock(environment)
        wheels_sha256 = lock.sha256
        for package in lock.applicable(MARKERS).values():
            wheel = choose_wheel(package, environment.glibc, environment.newer_glibc)
            title = spack_name(package.name)
            row = mirror_source(title, package.version, wheel.name, wheel.sha256, "", "index")
            found[row.path] = row
    if with_spack:
        spack_lock = read_spack_lock(spack_path)
        refuse_stale_lock(workspace, folder)
        spack_sha256 = spack_lock.sha256
        _of_spack(workspace, spack_lock, found, unknown, developed)
    return Wanted(
        environment=name,
        sources=tuple(found[path] for path in sorted(found)),
        unknown=tuple(unknown),
        developed=tuple(developed),
        wheels_lock_sha256=wheels_sha256,
        spack_lock_sha256=spack_sha256,
    )


def _of_spack(
    workspace: Workspace,
    lock: SpackLock,
    found: dict[str, Source],
    unknown: list[Node],
    developed: list[str],
) -> None:
    """Sort the packages of a Spack lock: a file that is known, one that is not, or no file."""
    known = read_builtin(workspace)
    mistakes: list[Mistake] = []
    for node in sorted(lock.nodes.values(), key=lambda row: row.label):
        namespace = str(node.content.get("namespace", ""))
        parameters = node.content.get("parameters", {})
        if node.external or node.name in NO_SOURCE:
            continue
        if "dev_path" in parameters:
            developed.append(node.label)
        elif namespace in OURS:
            path = repository(workspace, namespace) / "packages" / folder_name(node.name)
            origin: Origin = "component" if namespace == "fiducial" else "index"
            try:
                recipe = read_recipe(path / "package.py")
                if recipe.bundle:
                    continue
                source = recipe.source(node.name, node.version, origin)
            except InputError as error:
                mistakes.append(Mistake(node.label, error.problem, error.hint))
                continue
            if source is None:
                hint = "release it (fiducial component release), or develop it from the checkout"
                mistakes.append(Mistake(node.label, "has no source archive", hint))
            else:
                found[source.path] = source
        elif node.label in known:
            found[known[node.label].path] = known[node.label]
        else:
            unknown.append(node)
    if mistakes:
        raise Mistakes(mistakes, f"what {lock.name} needs")


def builtin_path(workspace: Workspace) -> Path:
    """Where it is kept which files builtin's recipes take."""
    return workspace.root / "spack-repo" / "builtin-sources.yaml"


def read_builtin(workspace: Workspace) -> dict[str, Source]:
    """The known files of builtin's recipes by ``package@version``; none where nothing is kept."""
    path = builtin_path(workspace)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("format") != 1:
            raise InputError(f"{path} is not of format 1")
        return {label: _builtin(label, row) for label, row in (data.get("sources") or {}).items()}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged", " ".join(str(error).split())) from error


def _builtin(label: str, row: dict[str, Any]) -> Source:
    package, _, version = label.partition("@")
    filename = str(row["file"])
    extension = str(row.get("extension", ""))
    return mirror_source(package, version, filename, str(row["sha256"]), extension, "index")


def write_builtin(workspace: Workspace, learned: dict[str, Source]) -> bool:
    """Keep what Spack told about files of builtin's recipes; False where nothing is new."""
    known = read_builtin(workspace)
    if not learned.keys() - known.keys():
        return False
    rows = {
        label: {"file": row.filename, "sha256": row.sha256, "extension": row.extension}
        for label, row in sorted({**known, **learned}.items())
    }
    head = (
        "# Files that builtin's recipes take for the packages that Spack adds to our locks.\n"
        "# Learned from Spack by: fiducial mirror create ENV DIR --record\n"
    )
    text = head + yaml.safe_dump({"format": 1, "sources": rows}, sort_keys=False)
    write_atomically(builtin_path(workspace), text)
    return True
