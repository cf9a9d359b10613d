"""Copy an interpreter and its standard library into a prefix, so that it needs no Python there.

Copied: the program, libpython where it is shared, the standard library with its compiled
modules. Left out: the test suites, IDLE, turtle's demonstrations, ensurepip, the files for
embedding, and the packages installed in it. Build paths in ``_sysconfigdata`` are computed from
the place of the prefix. Neglected: the C libraries of the operating system that compiled
modules of the standard library use (OpenSSL, SQLite, …) stay the host's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from fiducial.stack.elf_rpath import needed_libraries, read_run_path, set_run_path
from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.files import sha256_bytes, sha256_file
from fiducial.stack.interpreter import Python, inspect_python
from fiducial.stack.tools import run_program

_LEFT_OUT = {
    "test", "tests", "idlelib", "turtledemo", "ensurepip", "site-packages", "dist-packages",
    "__pycache__", "idle_test", "lib2to3/tests",
}  # fmt: skip
_LEFT_OUT_STARTS = ("config-",)
_MODULES_LEFT_OUT = ("_test", "_xxtest", "_ctypes_test", "xxlimited")
_RELOCATE = """
import sys as _sys

build_time_vars = {{
    name: value.replace("{mark}", _sys.base_prefix) if isinstance(value, str) else value
    for name, value in build_time_vars.items()
}}
"""


def bundle_digest(python: Python) -> str:
    """What identifies the interpreter that would be bundled, without reading all of it."""
    rows = [python.version, python.magic, sha256_file(python.executable)]
    library = _library(python)
    if library is not None:
        rows.append(sha256_file(library))
    return sha256_bytes(json.dumps(rows).encode())


def _library(python: Python) -> Path | None:
    """The shared libpython that the program needs, if it needs one."""
    if not python.shared or python.library not in needed_libraries(Path(python.executable)):
        return None
    for folder in (python.library_directory, f"{python.base_prefix}/lib"):
        path = Path(folder) / python.library
        if path.is_file():
            return path
    raise EnvironmentProblem(
        f"cannot bundle {python.executable}", f"its {python.library} was not found"
    )


def bundle_interpreter(prefix: Path, python: Python) -> list[str]:
    """Copy ``python`` into ``prefix`` and return the paths made, below the prefix.

    The links ``bin/python`` and ``bin/python3`` are not made here. Raises EnvironmentProblem
    where the copy does not find its own library (Debian's patched Python, for one).
    """
    made = []
    program = prefix / "bin" / f"python{python.minor}"
    program.parent.mkdir(parents=True, exist_ok=True)
    for stale in (prefix / "pyvenv.cfg", prefix / "bin" / "python", program):
        stale.unlink(missing_ok=True)
    shutil.copyfile(python.executable, program)
    program.chmod(0o755)
    made.append(f"bin/{program.name}")
    library = _library(python)
    if library is not None:
        copy = prefix / "lib" / library.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(library, copy)
        copy.chmod(0o755)
        made.append(f"lib/{library.name}")
        set_run_path(program, "$ORIGIN/../lib")
    inside = f"lib/python{python.minor}"
    for source in dict.fromkeys([python.stdlib, python.platstdlib]):
        made += _copy_tree(Path(source), prefix / inside, inside)
    for name in made:
        if library is not None and "/lib-dynload/" in name:
            _find_library_beside(prefix / name, python)
        if re.match(rf"{inside}/_sysconfigdata_.*\.py$", name):
            _free_of_paths(prefix / name, python.base_prefix)
    _check(program, prefix, python)
    return sorted(set(made))


def _find_library_beside(module: Path, python: Python) -> None:
    """A compiled module that looks for libraries where Python was installed looks here instead."""
    try:
        old = read_run_path(module)
    except EnvironmentProblem:
        return  # it has none, and needs none
    if python.base_prefix in old:
        set_run_path(module, "$ORIGIN/../..")


def _copy_tree(source: Path, target: Path, inside: str) -> list[str]:
    made = []
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        relative = here.relative_to(source)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _LEFT_OUT and not name.startswith(_LEFT_OUT_STARTS)
        )
        (target / relative).mkdir(parents=True, exist_ok=True)
        for name in sorted(names):
            if name.endswith((".pyc", ".a", ".whl")) or (here / name).is_dir():
                continue
            if here.name == "lib-dynload" and name.startswith(_MODULES_LEFT_OUT):
                continue
            copy = target / relative / name
            if not copy.exists():
                shutil.copyfile(here / name, copy)
                copy.chmod(0o755 if os.access(here / name, os.X_OK) else 0o644)
            made.append((Path(inside) / relative / name).as_posix())
    return made


def _free_of_paths(path: Path, base_prefix: str) -> None:
    """Let ``build_time_vars`` name the place of the prefix, not that of the copied Python."""
    mark = "@FIDUCIAL_PREFIX@"
    text = path.read_text(encoding="utf-8").replace(base_prefix, mark)
    path.write_text(text + _RELOCATE.format(mark=mark), encoding="utf-8")


def _check(program: Path, prefix: Path, python: Python) -> None:
    """Run the copy with nothing of the caller's environment; all it uses must lie inside."""
    question = (
        "import json, os, site, ssl, sqlite3, sys, sysconfig\n"
        "print(json.dumps([sys.prefix, sys.base_prefix, sysconfig.get_path('purelib'), *sys.path]))"
    )
    done = run_program([str(program), "-B", "-s", "-c", question], environment={}, cwd=Path("/"))
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise EnvironmentProblem(
            f"{python.executable} cannot be bundled",
            f"its copy does not start: {said[-1] if said else done.returncode}",
            "use another Python with --python, or --interpreter host",
        )
    inside = str(prefix.resolve())
    paths = [path for path in json.loads(done.stdout) if path]
    packages = f"{inside}/lib/python{python.minor}/site-packages"
    why = None
    if any(not path.startswith(inside) for path in paths):
        outside = sorted({path for path in paths if not path.startswith(inside)})
        why = f"its copy uses {', '.join(outside)}"
    elif packages not in paths:
        why = "its copy does not look for packages beside itself, as Debian's does not"
    if why is not None:
        raise EnvironmentProblem(
            f"{python.executable} cannot be bundled",
            why,
            "use another Python with --python (one from python.org, pyenv, conda or uv), "
            "or --interpreter host",
        )
    copied = inspect_python(program)
    if copied.magic != python.magic:
        raise EnvironmentProblem(f"the copy of {python.executable} is another Python")
