"""Run a kernel over n items, on CPU threads or on a CUDA GPU.

A kernel is one ``@njit`` function of the item ``i`` and of flat columns. It writes only to
places that belong to item ``i``, allocates nothing, and does not know where it runs::

    @njit
    def scale(i, factor, x, y):
        y[i] = factor * x[i]

    launch(scale, len(x), 2.0, x, y)                      # CPU threads
    launch(scale, n, 2.0, x_gpu, y_gpu, device="cuda")    # arrays of cupy or to_device

Columns are arrays that lie on the device; scalars are passed as they are. The answer does
not depend on the number of threads, since items share nothing. Kernels need no ``cache=True``:
what a launch compiles is kept on disk (see :mod:`fiducial.core.launch_wrappers`).

Neglected: several GPUs (the current one is used), shared memory, reductions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, Literal

import numba
import numpy as np

from fiducial.core.errors import InputError, did_you_mean
from fiducial.core.launch_wrappers import NUMBA_SETTINGS, wrappers_of

__all__ = ["Device", "available", "compile_ptx", "launch", "to_device", "to_host"]

Device = Literal["cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda")

if "NUMBA_THREADING_LAYER" not in os.environ:
    # OpenMP aborts a forked worker whose parent has launched; numba's own queue does not,
    # and wants one launch at a time, which the lock below sees to.
    NUMBA_SETTINGS.THREADING_LAYER = "workqueue"

_lock = threading.Lock()


def _new_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_new_lock)

_SCALARS = (int, float, bool, np.generic)


def launch(
    kernel: Any, n: int, *columns: Any, device: str = "cpu", threads: int | None = None
) -> None:
    """Call ``kernel(i, *columns)`` for every i in 0 … n - 1, in any order.

    kernel   an ``@njit`` function (i, column, …)
    n        how many items
    columns  arrays on ``device``, or scalars, one for each parameter of the kernel
    device   ``"cpu"`` or ``"cuda"``; a CUDA launch returns before the kernel has finished
    threads  CPU threads, default all that numba may use (``NUMBA_NUM_THREADS``); 1 is a
             plain loop, without any thread

    Raises InputError for a wrong number of columns, a column that lies elsewhere or is not an
    array, and MissingExtra or EnvironmentProblem where there is no CUDA.
    """
    wrappers = wrappers_of(kernel)
    if n < 0:
        raise InputError(f"cannot launch {n} items", "n is negative")
    if device == "cpu":
        checked = _checked(kernel, wrappers.names, columns, on_gpu=False)
        if n == 0:
            return
        available_threads = NUMBA_SETTINGS.NUMBA_NUM_THREADS
        wanted = numba.get_num_threads() if threads is None else threads
        if not 1 <= wanted <= available_threads:
            raise InputError(
                f"cannot launch on {wanted} threads",
                f"numba may use 1 to {available_threads}",
                "set NUMBA_NUM_THREADS before the program starts",
            )
        if wanted == 1:
            wrappers.serial(n, *checked)
            return
        with _lock:
            before = numba.get_num_threads()
            numba.set_num_threads(wanted)
            try:
                wrappers.threads(n, *checked)
            finally:
                numba.set_num_threads(before)
    elif device == "cuda":
        from fiducial.core import cuda_launch

        cuda_launch.require()
        checked = _checked(kernel, wrappers.names, columns, on_gpu=True)
        if n:
            cuda_launch.run(wrappers.cuda, n, checked)
    else:
        raise _unknown(device)


def available(device: str) -> bool:
    """Whether kernels can be launched on ``device`` in this process."""
    if device == "cpu":
        return True
    if device == "cuda":
        from fiducial.core import cuda_launch

        return cuda_launch.available()
    raise _unknown(device)


def to_device(array: Any, device: str = "cpu") -> Any:
    """The array on a device: itself where it lies there, else a copy."""
    if device == "cpu":
        return to_host(array)
    if device == "cuda":
        from fiducial.core import cuda_launch

        cuda_launch.require()
        return cuda_launch.to_device(array)
    raise _unknown(device)


def to_host(array: Any) -> Any:
    """The array as numpy's: itself, or a copy of what lies on a GPU once its kernels are done."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "copy_to_host"):  # numba
        return array.copy_to_host()
    if hasattr(array, "get"):  # cupy
        return array.get()
    return np.asarray(array)


def compile_ptx(kernel: Any, signature: str | Sequence[Any], cc: tuple[int, int] = (9, 0)) -> str:
    """The PTX of a kernel's CUDA grid, made without a GPU.

    signature  the numba types of the columns: ``"float64, float64[::1]"`` or types
    cc         compute capability, (9, 0) is an H100
    """
    from fiducial.core import cuda_launch

    text = signature if isinstance(signature, str) else ", ".join(str(t) for t in signature)
    wrappers = wrappers_of(kernel)
    return cuda_launch.compile_ptx(wrappers.cuda, wrappers.names, text, cc)


def _unknown(device: str) -> InputError:
    return InputError(f"no device {device!r}", None, did_you_mean(device, DEVICES))


def _checked(
    kernel: Any, names: tuple[str, ...], columns: tuple[Any, ...], on_gpu: bool
) -> list[Any]:
    """The columns, once they are known to fit; whole numbers with the width of 64 bits."""
    label = getattr(kernel, "__name__", repr(kernel))
    if len(columns) != len(names):
        raise InputError(
            f"kernel {label} takes {len(names)} columns, {len(columns)} were given",
            f"its columns are {', '.join(names)}" if names else "it has none",
        )
    checked: list[Any] = []
    for name, column in zip(names, columns, strict=True):
        if type(column) is int:
            checked.append(_sized(column, name, label))
        elif isinstance(column, _SCALARS) or _lies(column, on_gpu):
            checked.append(column)
        else:
            raise _misplaced(column, name, label, on_gpu)
    return checked


def _sized(value: int, name: str, label: str) -> Any:
    """numba would take any int for an int64 once it has seen a small one."""
    if -(2**63) <= value < 2**63:
        return np.int64(value)
    if 0 <= value < 2**64:
        return np.uint64(value)
    raise InputError(f"column {name} of kernel {label} is {value}", "more than 64 bits")


def _misplaced(column: Any, name: str, label: str, on_gpu: bool) -> InputError:
    if isinstance(column, np.ndarray):
        return InputError(
            f"column {name} of kernel {label} lies in the host's memory",
            "the launch is on cuda",
            "move it with fiducial.core.device.to_device(column, 'cuda')",
        )
    if _is_on_gpu(column):
        return InputError(
            f"column {name} of kernel {label} lies on a GPU",
            "the launch is on cpu",
            "move it with fiducial.core.device.to_host(column), or launch on cuda",
        )
    return InputError(
        f"column {name} of kernel {label} is a {type(column).__name__}",
        "neither an array nor a number",
        "make it a numpy array" if not on_gpu else "make it an array on the GPU",
    )


def _lies(column: Any, on_gpu: bool) -> bool:
    return _is_on_gpu(column) if on_gpu else isinstance(column, np.ndarray)


def _is_on_gpu(column: Any) -> bool:
    # numba's simulator has device arrays without the interface
    return hasattr(column, "__cuda_array_interface__") or hasattr(column, "copy_to_host")
