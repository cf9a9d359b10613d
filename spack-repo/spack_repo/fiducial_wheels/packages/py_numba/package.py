# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNumba(PythonPackage):
    """compiling Python code using LLVM. (Binary wheel.)"""

    pypi = "numba/numba-0.68.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "numba",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "0.68.1",
        sha256="58fe7a3810261cf13797d8aa94c018cfe91e1e8adf634df60eb60ef834f9367b",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of numba is for Linux")
    requires("target=x86_64:", msg="the wheel of numba is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-llvmlite")
        depends_on("py-numpy")
