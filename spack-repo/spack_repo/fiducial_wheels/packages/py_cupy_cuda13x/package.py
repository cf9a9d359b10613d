# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCupyCuda13x(PythonPackage):
    """CuPy: NumPy & SciPy for GPU. (Binary wheel.)"""

    pypi = "cupy-cuda13x/cupy_cuda13x-14.2.0-cp311-cp311-manylinux2014_x86_64.whl"

    import_modules = [
        "cupy",
        "cupyx",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "14.2.0",
        sha256="f94843e54500a9c8c169135f79572bfaba946efe4f7178e834c227280c1b0c12",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cupy-cuda13x is for Linux")
    requires("target=x86_64:", msg="the wheel of cupy-cuda13x is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-cuda-pathfinder")
        depends_on("py-numpy")
