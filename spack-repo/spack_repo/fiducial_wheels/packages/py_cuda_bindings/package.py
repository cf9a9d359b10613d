# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCudaBindings(PythonPackage):
    """Python bindings for CUDA. (Binary wheel.)"""

    pypi = "cuda-bindings/cuda_bindings-13.5.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "cuda.bindings",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "13.5.0",
        sha256="08b7e8d674c3266facb00453a7e34ea7d3ea965c2f594bb728f269f45f39fbe2",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cuda-bindings is for Linux")
    requires("target=x86_64:", msg="the wheel of cuda-bindings is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-cuda-pathfinder")
