"""The wheel builder: uv installs the locked wheels and those of the components.

Third-party wheels are each held to one digest; components are wheels built from this checkout.
docs/explanation/wheel-builder.md tells why.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fiducial.stack.build_plan import BuildPlan
from fiducial.stack.builders import BuildSettings
from fiducial.stack.component_wheel import ComponentWheel, build_wheels, hatchling_version
from fiducial.stack.environment import Environment
from fiducial.stack.errors import InputError
from fiducial.stack.interpreter import Python, find_build_python
from fiducial.stack.progress import Progress
from fiducial.stack.tools import run_uv
from fiducial.stack.wheel_choice import ChosenWheel
from fiducial.stack.workspace import Workspace


class WheelBuilder:
    """Installs wheels with uv."""

    name = "wheels"
    version = "2"
    damaged = ("uv's download cache", "clean it with: uv cache clean")

    def __init__(self, settings: BuildSettings) -> None:
        if settings.given():
            raise InputError(
                f"{', '.join(settings.given())} means nothing to the wheel builder",
                "it keeps no store of packages; uv has the user's own cache and index",
                "leave it out, or add --builder spack",
            )

    def find_python(self, environment: Environment, wanted: str | Path | None) -> Python:
        """Any CPython that the lock holds for."""
        return find_build_python(environment.python, environment.resolve_for, wanted)

    def tools(self) -> Mapping[str, str]:
        """hatchling writes the components' wheels, uv lays them out."""
        return {"hatchling": hatchling_version(), "uv": importlib.metadata.version("uv")}

    def inputs(
        self, workspace: Workspace, environment: Environment, wheels: Sequence[ChosenWheel]
    ) -> Mapping[str, Any]:
        """Nothing beyond the lock, the wheels and the sources."""
        return {}

    def install(self, plan: BuildPlan, stage: Path, progress: Progress) -> None:
        """Build the components' wheels, then install everything."""
        with progress.phase("component wheels", len(plan.sources)) as task:
            components = build_wheels(plan.sources, task.advance)
        with progress.phase("install", len(plan.wheels) + len(components)) as task:
            _install(plan, components, stage)
            task.update(len(plan.wheels) + len(components))


def _install(plan: BuildPlan, components: list[ComponentWheel], stage: Path) -> None:
    """Install every wheel into ``stage``, each allowed by one digest."""
    listed = stage / "wheels.txt"
    rows = [wheel.requirement for wheel in plan.wheels]
    rows += [
        f"{wheel.source.component.name} @ {wheel.path.as_uri()} --hash=sha256:{wheel.sha256}"
        for wheel in components
    ]
    listed.write_text("".join(f"{row}\n" for row in rows))
    arguments = ["pip", "install", "--python", str(stage / "bin" / "python"), "--require-hashes"]
    arguments += ["--no-deps", "--only-binary", ":all:", "--link-mode", "copy"]
    arguments += ["--no-compile-bytecode", "-r", str(listed)]
    run_uv(arguments, f"install the wheels of {plan.environment.name}")
    listed.unlink()
