"""The one module that knows numba's CUDA target (the extra ``cuda``) or its simulator."""

from __future__ import annotations

import functools
import types
from typing import Any
from unittest import mock

from fiducial.core.errors import EnvironmentProblem, InputError, MissingExtra

__all__ = ["available", "compile_ptx", "require", "run", "to_device"]

THREADS_A_BLOCK = 128
MAX_BLOCKS = 65_535 * 16


@functools.cache
def _cuda() -> Any:
    try:
        from numba import cuda
    except ImportError as error:
        raise MissingExtra("numba-cuda", "fiducial-core", "cuda", str(error)) from None
    return cuda


@functools.cache
def available() -> bool:
    """Whether a GPU, or numba's simulator of one, can be used."""
    try:
        return bool(_cuda().is_available())
    except MissingExtra:
        return False


@functools.cache
def require() -> None:
    """Raise MissingExtra or EnvironmentProblem where kernels cannot run on CUDA."""
    if not _cuda().is_available():
        raise EnvironmentProblem(
            "no CUDA device",
            "numba finds no driver or no GPU",
            "launch on cpu, or run where nvidia-smi lists a GPU",
        )


@functools.cache
def _grid(wrapper: Any) -> Any:
    cuda = _cuda()
    wrapper.__globals__["cuda"] = cuda
    return cuda.jit(wrapper)


def run(wrapper: Any, n: int, columns: list[Any]) -> None:
    """Run a kernel's grid wrapper over n items on the current GPU."""
    blocks = min((n + THREADS_A_BLOCK - 1) // THREADS_A_BLOCK, MAX_BLOCKS)
    _grid(wrapper)[blocks, THREADS_A_BLOCK](n, *columns)


def to_device(array: Any) -> Any:
    """A copy of a host array on the current GPU; an array that lies there, itself."""
    if hasattr(array, "__cuda_array_interface__") or hasattr(array, "copy_to_host"):
        return array
    return _cuda().to_device(array)


def compile_ptx(wrapper: Any, names: tuple[str, ...], signature: str, cc: tuple[int, int]) -> str:
    """Compile a grid wrapper to PTX.

    numba asks the current device for its compute capability when it compiles the functions
    that a kernel calls; that one question is answered by a stand-in.
    """
    cuda = _cuda()
    from numba.core import sigutils
    from numba.cuda import dispatcher

    parse: Any = sigutils.normalize_signature
    arguments, _ = parse(f"void({signature})")
    if len(arguments) != len(names):
        raise InputError(
            f"the signature '{signature}' has {len(arguments)} types, "
            f"the kernel {len(names)} columns",
            f"its columns are {', '.join(names)}",
        )
    wrapper.__globals__["cuda"] = cuda
    device = types.SimpleNamespace(compute_capability=cc)
    with mock.patch.object(dispatcher, "get_current_device", lambda: device):
        code, _ = cuda.compile(
            wrapper, f"void(int64, {signature})", device=False, cc=cc, output="ptx", abi="numba"
        )
    return str(code)
