"""The environment of a command inside a stack: what its setup script gives, and nothing else.

The shell that sources ``setup.sh`` starts from an empty environment, so neither the user's
PYTHONPATH, nor the workspace's virtual environment, nor a stray NUMBA or LD variable can reach
the run. Home, temporary files and the cache of compiled kernels are folders of the run's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError

ALLOWED = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "TZ")
"""Variables that pass from the caller: how much of the machine to use, and its clock."""


def clean_environment(prefix: Path, scratch: Path) -> dict[str, str]:
    """The variables that ``source PREFIX/setup.sh`` sets in an empty shell, with folders below
    ``scratch`` for everything that is written on the side.

    Raises InputError where there is no setup script, EnvironmentProblem where it fails.
    """
    prefix = prefix.resolve()
    setup = prefix / "setup.sh"
    if not setup.is_file():
        raise InputError(f"{prefix} is not a stack", "no setup.sh", "make one with fiducial build")
    base = {name: os.environ[name] for name in ALLOWED if name in os.environ}
    base |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    for name, folder in (("HOME", "home"), ("TMPDIR", "tmp"), ("NUMBA_CACHE_DIR", "numba")):
        (scratch / folder).mkdir(parents=True, exist_ok=True)
        base[name] = str((scratch / folder).resolve())
    base |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1"}
    base["MPLCONFIGDIR"] = base["HOME"]
    return _sourced(setup, base)


def _sourced(setup: Path, base: dict[str, str]) -> dict[str, str]:
    shell = shutil.which("bash", path=base["PATH"])
    if shell is None:
        raise EnvironmentProblem("no bash found", f"looked in {base['PATH']}", "install bash")
    done = subprocess.run(
        [shell, "--noprofile", "--norc", "-eu", "-c", '. "$1" >&2 && exec env -0', "sh", setup],
        env=base, cwd=base["HOME"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()[-500:] or f"exit {done.returncode}"
        raise EnvironmentProblem(f"{setup} fails in an empty environment", reason)
    lines = os.fsdecode(done.stdout).split("\0")
    pairs = (line.partition("=") for line in lines)
    found = {name: value for name, _, value in pairs if name}
    for name in ("SHLVL", "PWD", "OLDPWD", "_"):
        found.pop(name, None)
    return found
