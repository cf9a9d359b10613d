# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPsutil(PythonPackage):
    """Cross-platform lib for process and system monitoring. (Binary wheel.)"""

    pypi = "psutil/psutil-7.2.2-cp36-abi3-manylinux2010_x86_64.manylinux_2_12_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "psutil",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "7.2.2",
        sha256="076a2d2f923fd4821644f5ba89f059523da90dc9014e85f8e45a5774ca5bc6f9",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of psutil is for Linux")
    requires("target=x86_64:", msg="the wheel of psutil is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
