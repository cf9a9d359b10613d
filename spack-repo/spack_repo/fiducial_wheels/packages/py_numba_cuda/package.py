# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNumbaCuda(PythonPackage):
    """CUDA target for Numba. (Binary wheel.)"""

    pypi = (
        "numba-cuda/numba_cuda-0.30.4-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"
    )

    import_modules = [
        "numba_cuda",
        "numba.cuda",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "0.30.4",
        sha256="59b0e895a4884a26323b9581ac6966b7b063b6f0ce87ac23d1192c95158f4d1e",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of numba-cuda is for Linux")
    requires("target=x86_64:", msg="the wheel of numba-cuda is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-cuda-bindings")
        depends_on("py-cuda-core")
        depends_on("py-cuda-pathfinder")
        depends_on("py-cuda-toolkit")
        depends_on("py-numba")
        depends_on("py-nvidia-nvjitlink")
        depends_on("py-packaging")
