# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyIsal(PythonPackage):
    """Faster zlib and gzip compatible compression and decompression by providing python bindings for the ISA-L ibrary. (Binary wheel.)"""

    pypi = "isal/isal-1.9.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "isal",
    ]

    license("PSF-2.0", checked_by="fiducial")

    version(
        "1.9.1",
        sha256="a5b2f93fc39b8be92c6547965143094ee4d6a5543ef2d762a0edb6f06201feb5",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of isal is for Linux")
    requires("target=x86_64:", msg="the wheel of isal is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
