# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyScipy(PythonPackage):
    """Fundamental algorithms for scientific computing in Python. (Binary wheel.)"""

    pypi = "scipy/scipy-1.17.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "scipy",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.17.1",
        sha256="43af8d1f3bea642559019edfe64e9b11192a8978efbd1539d7bc2aaa23d92de4",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of scipy is for Linux")
    requires("target=x86_64:", msg="the wheel of scipy is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
