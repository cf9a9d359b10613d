# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCffi(PythonPackage):
    """Foreign Function Interface for Python calling C code. (Binary wheel.)"""

    pypi = "cffi/cffi-2.1.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = [
        "cffi",
    ]

    license("MIT-0", checked_by="fiducial")

    version(
        "2.1.1",
        sha256="34e261f78cb6ceaaa36f42f2613f4380d94d9c759a9c73c769ee6e0247364632",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cffi is for Linux")
    requires("target=x86_64:", msg="the wheel of cffi is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-pycparser")
