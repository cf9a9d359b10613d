"""An environment's definition for Spack: its ``spack.yaml`` and every file that it includes.

Files count by their content as YAML: comments and layout may change. An include that is optional
belongs to the host (``../host``), not to the definition. The reference host, for which committed
locks are made, is described by the scope ``environments/common/reference-host``; its files count,
too. Neglected: includes by address or from git, which our environments do not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.files import sha256_bytes
from fiducial.stack.workspace import Workspace

SECTIONS = (
    "bootstrap", "cdash", "ci", "compilers", "concretizer", "config", "definitions", "develop",
    "env_vars", "include", "mirrors", "modules", "packages", "repos", "toolchains", "upstreams",
    "view",
)  # fmt: skip
"""What Spack reads of a folder that is included: ``SECTION.yaml`` of each."""


@dataclass(frozen=True)
class SpackEnvironment:
    """A readable definition. ``content`` is each file's YAML, by its path in the workspace."""

    name: str
    directory: Path
    content: dict[str, Any] = field(repr=False)

    @property
    def lock_path(self) -> Path:
        """Where the committed lock lies."""
        return self.directory / "spack.lock"

    @property
    def inputs_path(self) -> Path:
        """Where it is said what the lock was made from."""
        return self.directory / "spack.lock.inputs.yaml"

    @property
    def developed(self) -> list[str]:
        """Packages that are installed from a working tree: their paths are in the hashes."""
        tables = [data.get("spack", data).get("develop", {}) for data in self.content.values()]
        return sorted({name for table in tables for name in table})

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file's content."""
        return {
            path: sha256_bytes(json.dumps(data, sort_keys=True).encode())
            for path, data in self.content.items()
        }


def reference_host(workspace: Workspace) -> Path:
    """The scope that describes the host which committed locks are for."""
    return workspace.environments / "common" / "reference-host"


def spack_environment_names(workspace: Workspace) -> list[str]:
    """Every environment that Spack can make."""
    return sorted(path.parent.name for path in workspace.environments.glob("*/spack.yaml"))


def lockable_names(workspace: Workspace) -> list[str]:
    """Those that have a committed lock: of released packages only."""
    names = spack_environment_names(workspace)
    return [name for name in names if not load_spack_environment(workspace, name).developed]


def load_spack_environment(workspace: Workspace, name: str) -> SpackEnvironment:
    """The definition of ``name``; all that is wrong with its files at once."""
    directory = workspace.environments / name
    if not (directory / "spack.yaml").is_file():
        hint = did_you_mean(name, spack_environment_names(workspace))
        raise InputError(f"no environment '{name}' for Spack", None, hint)
    mistakes: list[Mistake] = []
    content: dict[str, Any] = {}
    host = reference_host(workspace)
    waiting = [directory / "spack.yaml", host / "host.yaml", *_scope(host)]
    while waiting:
        path = waiting.pop(0)
        label = _label(path, workspace)
        if label in content:
            continue
        data = _read(path, label, mistakes)
        content[label] = data
        rows = data.get("spack", data).get("include", [])
        waiting += _included(rows, path.parent, label, mistakes)
    if mistakes:
        raise Mistakes(mistakes, f"environment {name}")
    return SpackEnvironment(name, directory, content)


def _label(path: Path, workspace: Workspace) -> str:
    resolved = path.resolve()
    root = workspace.root.resolve()
    return resolved.relative_to(root).as_posix() if root in resolved.parents else str(resolved)


def _read(path: Path, label: str, mistakes: list[Mistake]) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        mistakes.append(Mistake(label, error.strerror or "cannot be read"))
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mistakes.append(Mistake(label, f"not readable YAML ({' '.join(str(error).split())})"))
        return {}
    inner = data.get("spack", data) if isinstance(data, dict) else None
    if not isinstance(inner, dict):
        mistakes.append(Mistake(label, "must be a mapping"))
        return {}
    assert isinstance(data, dict)
    return data


def _included(rows: object, folder: Path, label: str, mistakes: list[Mistake]) -> Iterator[Path]:
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("optional"):
            continue
        text = row.get("path") if isinstance(row, dict) else row
        if not isinstance(text, str) or "$" in text or "://" in text:
            hint = "include files of the checkout by a relative path"
            mistakes.append(Mistake(label, f"cannot follow the include {row!r}", hint))
            continue
        path = Path(folder, text)
        if path.is_dir():
            yield from _scope(path)
        elif path.is_file():
            yield path
        else:
            near = [entry.name for entry in path.parent.glob("*.yaml")]
            hint = did_you_mean(path.name, near)
            mistakes.append(Mistake(label, f"includes {text}, which is not there", hint))


def _scope(folder: Path) -> list[Path]:
    paths = [folder / f"{section}.yaml" for section in SECTIONS]
    return [path for path in paths if path.is_file()]
