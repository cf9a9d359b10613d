# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMarkupsafe(PythonPackage):
    """Safely add untrusted strings to HTML/XML markup. (Binary wheel.)"""

    pypi = "markupsafe/markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "markupsafe",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.0.4",
        sha256="6da83a088f8ef93b2d483a8232a4dbf4d69d3d8496b568a03c56becac43e1808",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of markupsafe is for Linux")
    requires("target=x86_64:", msg="the wheel of markupsafe is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
