# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTornado(PythonPackage):
    """Tornado is a Python web framework and asynchronous networking library, originally developed at FriendFeed. (Binary wheel.)"""

    pypi = "tornado/tornado-6.6.1-cp311-abi3-manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64.whl"

    import_modules = [
        "tornado",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "6.6.1",
        sha256="1b6ff57cc69b339f8feb9e7b567b0e0eacb16bfaf234159496623ef7a67ba640",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of tornado is for Linux")
    requires("target=x86_64:", msg="the wheel of tornado is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
