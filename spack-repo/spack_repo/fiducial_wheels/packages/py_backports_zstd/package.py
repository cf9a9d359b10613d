# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyBackportsZstd(PythonPackage):
    """Backport of compression.zstd. (Binary wheel.)"""

    pypi = "backports-zstd/backports_zstd-1.8.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "backports.zstd",
    ]

    license("PSF-2.0", checked_by="fiducial")

    version(
        "1.8.0",
        sha256="9c7fe40a58dbe1fd358e0ceb5b6b3f50a9b328f8fff42dcb3bdaeb9a022c2506",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of backports-zstd is for Linux")
    requires("target=x86_64:", msg="the wheel of backports-zstd is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
