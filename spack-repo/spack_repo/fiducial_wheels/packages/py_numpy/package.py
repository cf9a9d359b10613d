# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNumpy(PythonPackage):
    """Fundamental package for array computing in Python. (Binary wheel.)"""

    pypi = "numpy/numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "numpy",
    ]

    license("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", checked_by="fiducial")

    version(
        "2.4.6",
        sha256="89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of numpy is for Linux")
    requires("target=x86_64:", msg="the wheel of numpy is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
