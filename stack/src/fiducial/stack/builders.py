"""What a builder is: how the locked packages get from somewhere into an empty prefix.

Deciding (``build_plan``) and describing (``build``: hashes, byte-compilation, manifest, setup
scripts, bill of materials) are the same for every builder, so that whatever comes after a build
works on any stack. A builder only installs: every wheel that the lock allows and every component
of the workspace, nothing else. The two of this project are known by name; others register a class
in entry point group ``fiducial.builders`` (name = class; called with ``BuildSettings``).
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fiducial.stack.errors import EnvironmentProblem, InputError, did_you_mean
from fiducial.stack.progress import Progress

if TYPE_CHECKING:
    from fiducial.stack.build_plan import BuildPlan
    from fiducial.stack.environment import Environment
    from fiducial.stack.interpreter import Python
    from fiducial.stack.wheel_choice import ChosenWheel
    from fiducial.stack.workspace import Workspace

GROUP = "fiducial.builders"
DEFAULT = "wheels"
_OWN = {
    "spack": "fiducial.stack.spack.spack_build:SpackBuilder",
    "wheels": "fiducial.stack.wheel_build:WheelBuilder",
}


@dataclass(frozen=True)
class BuildSettings:
    """What a user may ask of a builder; it refuses what it does not know.

    store: where packages are kept between builds; jobs: how many processes a build may use;
    mirrors: folders or addresses that hold sources; test: run the packages' own tests.
    """

    store: Path | None = None
    jobs: int | None = None
    mirrors: tuple[str, ...] = ()
    test: bool = False

    def given(self) -> list[str]:
        """The options that were set, by their names on the command line."""
        values = {"--store": self.store, "--jobs": self.jobs, "--mirror": self.mirrors}
        found = [name for name, value in values.items() if value not in (None, ())]
        return [*found, "--test"] if self.test else found


class Builder(Protocol):
    """A way to install. ``version`` moves when the same inputs give other bytes."""

    name: str
    version: str
    damaged: tuple[str, str]
    """What this builder keeps between builds, and how to make it anew where it is damaged."""

    def find_python(self, environment: Environment, wanted: str | Path | None) -> Python:
        """The interpreter to build with: the one that is wanted, or one that fits."""

    def tools(self) -> Mapping[str, str]:
        """The tools whose version may show in the bytes of a stack, for the manifest."""

    def inputs(
        self, workspace: Workspace, environment: Environment, wheels: Sequence[ChosenWheel]
    ) -> Mapping[str, Any]:
        """What else the bytes depend on, as JSON, the same on every host; may refuse."""

    def install(self, plan: BuildPlan, stage: Path, progress: Progress) -> None:
        """Put the files of ``plan.wheels`` and ``plan.sources`` into the prefix ``stage``.

        ``stage`` is bound to the host's Python already. Every package has its ``dist-info`` with
        RECORD; whatever names a place of this machine is taken out by the caller.
        """


def find_builder(name: str, settings: BuildSettings | None = None) -> Builder:
    """The builder called ``name``, ready for ``settings``."""
    others = {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}
    target: Any
    if name in _OWN:
        module, _, attribute = _OWN[name].partition(":")
        target = getattr(importlib.import_module(module), attribute)
    elif name in others:
        try:
            target = others[name].load()
        except Exception as error:
            raise EnvironmentProblem(
                f"the builder '{name}' cannot be loaded",
                f"{others[name].value}: {error}",
                "reinstall the distribution that brings it",
            ) from error
    else:
        raise InputError(f"no builder '{name}'", None, did_you_mean(name, [*_OWN, *others]))
    builder: Builder = target(settings if settings is not None else BuildSettings())
    return builder
