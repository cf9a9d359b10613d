"""Decide what a build will do: which lock, sources, wheels and interpreter, and whether at all.

Everything that the bytes of a stack depend on is in ``inputs``; their digest names the stack. A
prefix whose manifest has the same digest, and whose files are all there, is not built again.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fiducial.stack.builders import DEFAULT, Builder, BuildSettings, find_builder
from fiducial.stack.component_wheel import ComponentSource, read_source
from fiducial.stack.environment import Environment, load_environment
from fiducial.stack.errors import InputError, StackError, did_you_mean
from fiducial.stack.files import sha256_bytes
from fiducial.stack.interpreter import Python
from fiducial.stack.interpreter_bundle import bundle_digest
from fiducial.stack.lock import require_fresh_lock
from fiducial.stack.lockfile import Lock
from fiducial.stack.manifest import NAME, File, Manifest, read_manifest
from fiducial.stack.wheel_choice import ChosenWheel, choose_wheels
from fiducial.stack.workspace import Workspace

BUILDER = "wheels"
BUILDER_VERSION = "2"

Mode = Literal["host", "bundled"]


@dataclass(frozen=True)
class BuildPlan:
    """A decided build. ``current`` is the manifest of the stack that is there now, if any."""

    builder: Builder
    tools: dict[str, str]
    workspace: Workspace
    environment: Environment
    lock: Lock
    prefix: Path
    mode: Mode
    python: Python
    sources: tuple[ComponentSource, ...]
    wheels: tuple[ChosenWheel, ...]
    inputs: dict[str, Any]
    current: Manifest | None
    missing: str | None

    @property
    def inputs_sha256(self) -> str:
        """Digest of everything that the stack's bytes depend on."""
        return sha256_bytes(json.dumps(self.inputs, sort_keys=True).encode())

    @property
    def stack(self) -> str:
        """The stack's identity."""
        return f"{self.environment.name}-{self.inputs_sha256[:12]}"

    @property
    def fresh(self) -> bool:
        """Whether the stack at the prefix is what this build would make."""
        return self.reason is None

    @property
    def reason(self) -> str | None:
        """Why there is something to build; None where there is nothing."""
        if self.current is None:
            return "there is no stack yet"
        if self.current.inputs_sha256 == self.inputs_sha256:
            return self.missing
        moved = self._moved(self.current)
        return "; ".join(moved) or f"the rules of the {self.builder.name} builder moved"

    def _moved(self, current: Manifest) -> list[str]:
        moved = []
        before, after = current.builder, (self.builder.name, self.builder.version)
        if (before.name, before.version) != after:
            moved.append(f"the builder is {' '.join(after)}, was {before.name} {before.version}")
        elif before.tools != self.tools:
            names = sorted(dict(before.tools.items() ^ self.tools.items()))
            moved.append(f"the builder's tools moved: {', '.join(names)}")
        if current.lock_sha256 != self.lock.sha256:
            moved.append("the lock moved")
        sources = {package.name: package.source_sha256 for package in current.packages}
        changed = [
            source.component.name.removeprefix("fiducial-")
            for source in self.sources
            if sources.get(source.component.name) != source.sha256
        ]
        if changed:
            moved.append(f"components changed: {', '.join(changed)}")
        if current.interpreter.mode != self.mode:
            moved.append(f"the interpreter is to be {self.mode}")
        return moved


def plan_build(
    workspace: Workspace,
    name: str,
    prefix: Path,
    mode: str = "host",
    python: str | Path | None = None,
    builder: str = DEFAULT,
    settings: BuildSettings | None = None,
) -> BuildPlan:
    """Decide how to build environment ``name`` at ``prefix``; touches nothing, needs no network."""
    maker = find_builder(builder, settings)
    if mode not in ("host", "bundled"):
        raise InputError(
            f"no interpreter mode '{mode}'", None, did_you_mean(mode, ["host", "bundled"])
        )
    _refuse_unmovable(workspace, name)
    environment = load_environment(workspace, name)
    lock = require_fresh_lock(environment)
    prefix = prefix.absolute()
    _refuse_foreign(prefix)
    host = maker.find_python(environment, python)
    wheels = choose_wheels(lock, host, environment.glibc, environment.newer_glibc)
    sources = tuple(
        read_source(workspace, workspace.components[component])
        for component in environment.components
    )
    tools = dict(maker.tools())
    inputs = {
        "builder": [maker.name, maker.version, tools],
        "environment": environment.name,
        "lock": lock.sha256,
        "wheels": [wheel.sha256 for wheel in wheels],
        "components": {source.component.name: source.sha256 for source in sources},
        "platform": [host.markers["sys_platform"], host.markers["platform_machine"]],
        "interpreter": [mode, host.cache_tag, host.magic]
        + ([bundle_digest(host)] if mode == "bundled" else []),
        **maker.inputs(workspace, environment, wheels),
    }
    current = _current(prefix)
    return BuildPlan(
        builder=maker,
        tools=tools,
        workspace=workspace,
        environment=environment,
        lock=lock,
        prefix=prefix,
        mode="bundled" if mode == "bundled" else "host",
        python=host,
        sources=sources,
        wheels=tuple(wheels),
        inputs=inputs,
        current=current,
        missing=_first_missing(prefix, current) if current is not None else None,
    )


def _refuse_unmovable(workspace: Workspace, name: str) -> None:
    """Refuse an environment whose packages are compiled: they name the place they are built for."""
    folder = workspace.environments / name
    if (folder / "spack.yaml").is_file() and not (folder / "wheels.in").is_file():
        raise InputError(
            f"environment {name} makes no stack",
            "it has no wheels.in, and only what comes as Python wheels can be moved",
            f"install it with Spack (spack -e environments/{name} install), and carry it to other "
            "hosts with: fiducial buildcache",
        )


def _refuse_foreign(prefix: Path) -> None:
    """Refuse to replace something that is not a stack."""
    if prefix.is_symlink() or (prefix.exists() and not prefix.is_dir()):
        raise InputError(f"{prefix} is not a directory", None, "choose another --out")
    if prefix.is_dir() and not (prefix / NAME).is_file() and any(prefix.iterdir()):
        raise InputError(
            f"{prefix} holds something that is not a stack",
            f"it has no {NAME}",
            "choose another --out",
        )


def _current(prefix: Path) -> Manifest | None:
    try:
        return read_manifest(prefix)
    except StackError:
        return None  # none, or damaged: built anew


def _first_missing(prefix: Path, manifest: Manifest) -> str | None:
    """A file that is missing or of another size (a look at the sizes, not at the bytes)."""
    for path in manifest.interpreter.bound:
        if not (prefix / path).exists():
            return f"{path} is missing"
    for path, entry in manifest.entries().items():
        try:
            status = (prefix / path).lstat()
        except OSError:
            return f"{path} is missing"
        if isinstance(entry, File) and (
            status.st_size != entry.size or f"{stat.S_IMODE(status.st_mode):03o}" != entry.mode
        ):
            return f"{path} was altered"
    return None
