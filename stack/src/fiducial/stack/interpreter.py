"""The Python of a stack: the host's, bound by two small files.

A prefix in host mode is a virtual environment whose only tie to the host is ``pyvenv.cfg`` and
the link ``bin/python``. ``bind_interpreter`` makes both; the builder calls it, and so does a
deploy on another host. They are in no digest. ``interpreter_bundle`` is the other mode.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.files import aside, write_atomically
from fiducial.stack.tools import clean_environment, run_program

BOUND = ("bin/python", "pyvenv.cfg")

_QUESTION = """
import importlib.util, json, os, platform, sys, sysconfig
v = sys.implementation.version
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "base_prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "platstdlib": sysconfig.get_path("platstdlib"),
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "minor": "%d.%d" % sys.version_info[:2],
    "cache_tag": sys.implementation.cache_tag,
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
    "library": sysconfig.get_config_var("INSTSONAME") or "",
    "library_directory": sysconfig.get_config_var("LIBDIR") or "",
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": "%d.%d.%d" % (v.major, v.minor, v.micro),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
        "extra": "",
    },
}))
"""


@dataclass(frozen=True)
class Python:
    """What an interpreter says of itself. ``executable`` is outside any virtual environment."""

    executable: str
    base_prefix: str
    stdlib: str
    platstdlib: str
    implementation: str
    version: str
    minor: str
    cache_tag: str
    magic: str
    shared: bool
    library: str
    library_directory: str
    free_threaded: bool
    markers: dict[str, str]


def inspect_python(python: str | Path | None = None) -> Python:
    """Ask an interpreter (this one by default; a path, or a name on PATH) what it is."""
    wanted = str(python or sys.executable)
    found = shutil.which(wanted)
    if found is None:
        raise EnvironmentProblem(f"no Python '{wanted}'", None, "give --python a path to one")
    done = run_program([found, "-I", "-S", "-c", _QUESTION], environment=clean_environment())
    try:
        return Python(**json.loads(done.stdout))
    except (ValueError, TypeError) as error:
        said = done.stderr.strip().splitlines()
        raise EnvironmentProblem(
            f"{wanted} does not answer as a Python", said[-1] if said else str(error)
        ) from error


def find_host_python(minor: str, python: str | Path | None = None) -> Python:
    """A CPython of version ``minor`` ("3.11"): the one given, this one, or one on PATH."""
    if python is not None:
        found = inspect_python(python)
        check_python(found, minor)
        return found
    for candidate in (sys.executable, f"python{minor}", "python3"):
        if shutil.which(candidate) is None:
            continue
        try:
            found = inspect_python(candidate)
            check_python(found, minor)
        except (EnvironmentProblem, InputError):
            continue
        return found
    raise EnvironmentProblem(
        f"no CPython {minor} on this host",
        f"the stack's compiled packages need {minor}",
        f"install it, or give --python /path/to/python{minor}",
    )


def find_build_python(versions: str, preferred: str, python: str | Path | None = None) -> Python:
    """A CPython to build with: the one given, else this one, else ``preferred`` ("3.11").

    ``versions`` is the range that the lock holds for (">=3.11").
    """
    if python is None:
        found = inspect_python()
        fits = found.implementation == "cpython" and not found.free_threaded
        if not fits or found.minor not in SpecifierSet(versions):
            return find_host_python(preferred)
        return found
    found = inspect_python(python)
    check_python(found, found.minor)
    if found.minor not in SpecifierSet(versions):
        raise InputError(
            f"{found.executable} is Python {found.version}", f"the lock is for {versions}"
        )
    return found


def check_python(python: Python, minor: str) -> None:
    """Refuse an interpreter that the compiled packages of a stack do not fit."""
    if python.implementation != "cpython" or python.free_threaded:
        kind = "a free-threaded build" if python.free_threaded else python.implementation
        raise InputError(f"{python.executable} is {kind}", "stacks are made for CPython")
    if python.minor != minor:
        raise InputError(
            f"{python.executable} is Python {python.version}", f"the stack is built for {minor}"
        )


def bind_interpreter(prefix: Path, python: Python) -> tuple[str, ...]:
    """Tie ``prefix`` to the host's ``python``; returns the paths that do so (``BOUND``).

    Each is replaced in one step, so that a prefix in use stays usable.
    """
    link = prefix / "bin" / "python"
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = aside(link)
    temporary.symlink_to(python.executable)
    temporary.replace(link)
    write_atomically(
        prefix / "pyvenv.cfg",
        f"home = {Path(python.executable).parent}\n"
        "implementation = CPython\n"
        f"version_info = {python.version}\n"
        "include-system-site-packages = false\n"
        "relocatable = true\n",
    )
    return BOUND


def is_bound(prefix: Path, python: Python) -> bool:
    """Whether ``prefix`` is tied to exactly this ``python``."""
    link = prefix / "bin" / "python"
    return link.is_symlink() and os.readlink(link) == python.executable  # noqa: PTH115
