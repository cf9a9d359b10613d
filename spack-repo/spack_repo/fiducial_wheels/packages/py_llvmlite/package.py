# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyLlvmlite(PythonPackage):
    """lightweight wrapper around basic LLVM functionality. (Binary wheel.)"""

    pypi = "llvmlite/llvmlite-0.50.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "llvmlite",
    ]

    license("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", checked_by="fiducial")

    version(
        "0.50.0",
        sha256="a6ffde00d4be8772a24e3e8b3af6bf86a79e7cf066d944ef56136b3957d707dc",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of llvmlite is for Linux")
    requires("target=x86_64:", msg="the wheel of llvmlite is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
