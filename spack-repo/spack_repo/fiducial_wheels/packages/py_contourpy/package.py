# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyContourpy(PythonPackage):
    """Python library for calculating contours of 2D quadrilateral grids. (Binary wheel.)"""

    pypi = "contourpy/contourpy-1.3.3-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "contourpy",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.3.3",
        sha256="51e79c1f7470158e838808d4a996fa9bac72c498e93d8ebe5119bc1e6becb0db",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of contourpy is for Linux")
    requires("target=x86_64:", msg="the wheel of contourpy is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
