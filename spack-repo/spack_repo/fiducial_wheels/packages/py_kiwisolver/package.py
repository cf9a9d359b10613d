# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyKiwisolver(PythonPackage):
    """A fast implementation of the Cassowary constraint solver. (Binary wheel.)"""

    pypi = "kiwisolver/kiwisolver-1.5.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = [
        "kiwisolver",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.5.1",
        sha256="95a02752aa032eef4aed01cda6d9b687c669bd0396bf4519eef8bba22a286720",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of kiwisolver is for Linux")
    requires("target=x86_64:", msg="the wheel of kiwisolver is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
