# mypy: disallow-untyped-defs=False
"""The fixed-arity functions that run a kernel over n items, written from its signature.

numba compiles a loop over ``kernel(i, *columns)`` only when the columns are named, so for each
kernel a small module is written: a serial loop, a ``prange`` loop and a CUDA grid. The module
lies in a cache directory under a name that holds a fingerprint of the kernel and of every
function and constant that it reaches. So numba finds the machine code of an earlier process
again, and never that of an earlier version of the kernel (numba's own cache looks only at the
file of the outermost function).

Cache directory: ``$NUMBA_CACHE_DIR/fiducial``, else ``$XDG_CACHE_HOME/fiducial/kernels``, else
``~/.cache/fiducial/kernels``. Kernels that cannot be imported by name (those made inside a
function, or typed at a prompt), and all kernels where no cache directory can be written, are
compiled once a process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
import types
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

from fiducial.core.errors import FiducialError, InputError
from fiducial.core.files import write_atomically

__all__ = [
    "NUMBA_SETTINGS",
    "Wrappers",
    "cache_directory",
    "fingerprint",
    "parameters",
    "wrappers_of",
]


NUMBA_SETTINGS: Any = numba.config
"""numba's settings, which its environment variables fill."""


class Wrappers(NamedTuple):
    """The ways to run one kernel: each takes (n, *columns); ``cuda`` is not yet compiled.

    names  the kernel's columns
    """

    names: tuple[str, ...]
    serial: Any
    threads: Any
    cuda: Any


_SOURCE = '''"""Written by fiducial.core for the kernel {where}. Safe to delete."""

from numba import njit, prange

from fiducial.core.launch_wrappers import inlined{importing}

item = inlined(kernel)


@njit(cache={cache}, nogil=True)
def serial(n{columns}):
    for i in range(n):
        item(i{columns})


@njit(parallel=True, cache={cache}, nogil=True)
def threads(n{columns}):
    for i in prange(n):
        item(int64(i){columns})


def cuda_grid(n{columns}):
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        kernel(int64(i){columns})
'''

_made: dict[Any, Wrappers] = {}


def wrappers_of(kernel: Any) -> Wrappers:
    """The wrappers of a kernel; made once a process, and found again in the cache directory."""
    try:
        return _made[kernel]
    except KeyError:
        _made[kernel] = made = _make(kernel)
        return made
    except TypeError:
        raise _not_a_kernel(kernel) from None


def parameters(kernel: Any) -> list[str]:
    """The names of a kernel's parameters after the item ``i``."""
    function = getattr(kernel, "py_func", kernel)
    if not inspect.isfunction(function):
        raise _not_a_kernel(kernel)
    found = list(inspect.signature(function).parameters.values())
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not found or any(p.kind not in plain for p in found):
        raise InputError(
            f"{_where(function)} is not a kernel",
            "it must take the item i and then its columns by position",
            "write @njit def kernel(i, column, …)",
        )
    return [p.name for p in found[1:]]


def cache_directory() -> Path:
    """Where the wrappers and their machine code are kept."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"], "fiducial")
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fiducial" / "kernels"


def fingerprint(kernel: Any) -> str:
    """A digest of a kernel's code and of all functions and constants that it reaches."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {numba.__version__}".encode())
    _absorb(getattr(kernel, "py_func", kernel), digest, set())
    return digest.hexdigest()[:16]


def inlined(kernel: Any) -> Any:
    """The kernel as a function that is always inlined into the loop around it.

    So the compiler sees the loop and the kernel together (Philox draws are then 3 times
    faster). Where numba compiles nothing, the kernel itself.
    """
    if not hasattr(kernel, "py_func"):
        return kernel
    options = {k: v for k, v in kernel.targetoptions.items() if k not in ("nopython", "cache")}
    return numba.njit(**options | {"forceinline": True})(kernel.py_func)


def _not_a_kernel(kernel: Any) -> InputError:
    return InputError(f"{kernel!r} is not a kernel", "not a function", "decorate it with @njit")


def _where(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _make(kernel: Any) -> Wrappers:
    names = parameters(kernel)
    function = getattr(kernel, "py_func", kernel)
    if function is kernel and not NUMBA_SETTINGS.DISABLE_JIT:
        raise InputError(
            f"{_where(function)} is not a kernel", "not compiled", "decorate it with @njit"
        )
    columns = "".join(f", {name}" for name in names)
    module = _from_cache(kernel, function, columns) or _in_memory(kernel, function, columns)
    return Wrappers(tuple(names), module["serial"], module["threads"], module["cuda_grid"])


def _from_cache(kernel: Any, function: Any, columns: str) -> dict[str, Any] | None:
    owner = sys.modules.get(function.__module__)
    by_name = getattr(owner, function.__name__, None) is kernel
    if not by_name or function.__module__ == "__main__" or NUMBA_SETTINGS.DISABLE_JIT:
        return None
    stem = f"{function.__module__}.{function.__name__}".replace(".", "_")
    name = f"{stem}_{fingerprint(kernel)}"
    path = cache_directory() / f"{name}.py"
    importing = (
        "\nfrom numba import int64"
        f"\nfrom {function.__module__} import {function.__name__} as kernel"
    )
    source = _SOURCE.format(
        where=_where(function), columns=columns, cache=True, importing=importing
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.exists() and path.read_text() == source):
            write_atomically(path, source)
        spec = importlib.util.spec_from_file_location(f"fiducial_kernels.{name}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
    except (FiducialError, OSError, RuntimeError):  # no place to write: compile in memory
        return None
    return vars(module)


def _in_memory(kernel: Any, function: Any, columns: str) -> dict[str, Any]:
    source = _SOURCE.format(where=_where(function), columns=columns, cache=False, importing="")
    module = {"kernel": kernel, "int64": np.int64}
    exec(compile(source, f"<launch of {_where(function)}>", "exec"), module)
    return module


_CONSTANTS = (bool, int, float, complex, str, bytes, type(None), np.generic)


def _absorb(value: Any, digest: Any, seen: set[int], names: tuple[str, ...] = ()) -> None:
    """Feed what a value contributes to the machine code into the digest."""
    value = getattr(value, "py_func", value)
    if isinstance(value, types.FunctionType):
        if id(value) in seen:
            return
        seen.add(id(value))
        used = _absorb_code(value.__code__, digest)
        closure = inspect.getclosurevars(value) if value.__closure__ else None
        for name in used:
            if name in value.__globals__:
                digest.update(f"|{name}=".encode())
                _absorb(value.__globals__[name], digest, seen, used)
        for name, cell in sorted((closure.nonlocals if closure else {}).items()):
            digest.update(f"|{name}=".encode())
            _absorb(cell, digest, seen, used)
    elif isinstance(value, types.ModuleType):
        digest.update(value.__name__.encode())
        for name in names:
            attribute = getattr(value, name, None)
            inside = getattr(attribute, "py_func", attribute)
            if isinstance(inside, types.FunctionType) or isinstance(attribute, _CONSTANTS):
                digest.update(f"|.{name}=".encode())
                _absorb(attribute, digest, seen)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    elif isinstance(value, tuple):
        for item in value:
            _absorb(item, digest, seen, names)
    elif isinstance(value, _CONSTANTS):
        digest.update(f"{type(value).__name__} {value!r}".encode())
    else:
        digest.update(f"{type(value)} {getattr(value, '__qualname__', '')}".encode())


def _absorb_code(code: types.CodeType, digest: Any) -> tuple[str, ...]:
    digest.update(code.co_code + repr(code.co_names + code.co_varnames).encode())
    used = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            used += _absorb_code(constant, digest)
        elif isinstance(constant, frozenset):
            digest.update(repr(sorted(map(repr, constant))).encode())
        else:
            digest.update(repr(constant).encode())
    return tuple(dict.fromkeys(used))
