# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyXxhash(PythonPackage):
    """Python binding for xxHash. (Binary wheel.)"""

    pypi = "xxhash/xxhash-4.1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "xxhash",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "4.1.0",
        sha256="5e713f5db9e1a8aafac59a45cc1ffce11ca507730f5dc12e212ea7b73d9debde",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of xxhash is for Linux")
    requires("target=x86_64:", msg="the wheel of xxhash is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
