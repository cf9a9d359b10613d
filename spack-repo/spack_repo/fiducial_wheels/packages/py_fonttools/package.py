# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFonttools(PythonPackage):
    """Tools to manipulate font files. (Binary wheel.)"""

    pypi = "fonttools/fonttools-4.68.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = [
        "fontTools",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "4.68.0",
        sha256="4b9c89b5876f1a74b1341632dfaf4c4c2be565d76c060445df401ebe7a4ceefa",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of fonttools is for Linux")
    requires("target=x86_64:", msg="the wheel of fonttools is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
