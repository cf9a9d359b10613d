# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyZlibNg(PythonPackage):
    """Drop-in replacement for zlib and gzip modules using zlib-ng. (Binary wheel.)"""

    pypi = "zlib-ng/zlib_ng-1.1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "zlib_ng",
    ]

    license("PSF-2.0", checked_by="fiducial")

    version(
        "1.1.0",
        sha256="4165d05376742bbbeb448b7a2c44ad492c44d19011fb4bf1261af01357d107df",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of zlib-ng is for Linux")
    requires("target=x86_64:", msg="the wheel of zlib-ng is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
