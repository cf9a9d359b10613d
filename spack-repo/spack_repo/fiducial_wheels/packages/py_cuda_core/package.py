# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCudaCore(PythonPackage):
    """cuda.core: pythonic CUDA module. (Binary wheel.)"""

    pypi = "cuda-core/cuda_core-1.2.2-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "cuda.core",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "1.2.2",
        sha256="55a0ea9e590e54e696f04f20b037f52dbac3af09bce0039602324cd4151daab9",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cuda-core is for Linux")
    requires("target=x86_64:", msg="the wheel of cuda-core is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-cuda-pathfinder")
        depends_on("py-numpy")
