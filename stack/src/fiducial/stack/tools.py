"""Programs that the stack tool runs: uv from its own package, other Pythons.

uv keeps the user's configuration (its index, its cache); what would make its answer depend on
the caller's shell (an active environment, PYTHONPATH) is taken away.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, StackError

_HIDDEN = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "UV_PYTHON")
_NETWORK = (
    "error sending request",
    "failed to fetch",
    "dns error",
    "connection refused",
    "network connectivity is disabled",
    "network was disabled",
    "timed out",
    "tcp connect",
    "request failed after",
)
_SPACE = ("no space left on device", "disk quota exceeded")


@functools.cache
def find_uv() -> str:
    """The uv program that came with the uv package."""
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentProblem(
            "cannot find uv", str(error), "install it: pip install uv"
        ) from error


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what ties it to an activated Python."""
    kept = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
    return {**kept, **(extra or {})}


def run_program(
    command: Sequence[str],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its end, capturing its output; does not judge its exit code."""
    try:
        return subprocess.run(
            list(command),
            cwd=cwd,
            env=clean_environment() if environment is None else dict(environment),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise EnvironmentProblem(f"cannot run {command[0]}", error.strerror) from error


def run_uv(
    arguments: Sequence[str],
    doing: str,
    failure: type[StackError] = EnvironmentProblem,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Run uv; returns what it said on standard error.

    A failure for want of network or space is an EnvironmentProblem, any other a ``failure``.
    """
    command = [find_uv(), "--color", "never", "--no-progress", *arguments]
    done = run_program(command, environment=clean_environment(extra))
    if done.returncode == 0:
        return done.stderr
    said = (done.stderr.strip() or done.stdout.strip()).removeprefix("error: ")
    lowered = said.lower()
    if any(sign in lowered for sign in _SPACE):
        raise EnvironmentProblem(f"cannot {doing}", "no space left", "free some space\n" + said)
    if any(sign in lowered for sign in _NETWORK):
        raise EnvironmentProblem(
            f"cannot {doing}", "the package index was not reached", "check the network\n" + said
        )
    if done.returncode < 0:
        raise EnvironmentProblem(f"cannot {doing}", f"uv was ended by signal {-done.returncode}")
    raise failure(f"cannot {doing}\n{said}")
