# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyAwkwardCpp(PythonPackage):
    """CPU kernels and compiled extensions for Awkward Array. (Binary wheel.)"""

    pypi = "awkward-cpp/awkward_cpp-57-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "awkward_cpp",
    ]

    license("BSD-3-Clause AND MIT", checked_by="fiducial")

    version(
        "57",
        sha256="90ab67451e0d73e6ca3b1b46428f6de6fcc80649fddb13276865e52a74c6be16",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of awkward-cpp is for Linux")
    requires("target=x86_64:", msg="the wheel of awkward-cpp is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
