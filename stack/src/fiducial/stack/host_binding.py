"""Tie a deployed stack to this host's interpreter, where it does not bring its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fiducial.stack.interpreter import bind_interpreter, find_host_python
from fiducial.stack.manifest import Manifest


def host_binder(python: Path | None = None) -> Callable[[Path, Manifest], None]:
    """What ``deploy`` calls on a checked-out prefix; ``python`` overrides the search.

    Raises EnvironmentProblem where this host has no interpreter of the stack's minor version.
    """

    def bind(prefix: Path, manifest: Manifest) -> None:
        if manifest.interpreter.mode != "host":
            return
        minor = ".".join(manifest.interpreter.version.split(".")[:2])
        bind_interpreter(prefix, find_host_python(minor, python))

    return bind
