# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCramjam(PythonPackage):
    """cramjam. (Binary wheel.)"""

    pypi = "cramjam/cramjam-2.14.0-cp311-cp311-manylinux_2_28_x86_64.whl"

    import_modules = [
        "cramjam",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "2.14.0",
        sha256="401bf7e11cf3775ee4af0fb487027adcbee61f68bbd1944ae9f6fcafb8b160fc",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cramjam is for Linux")
    requires("target=x86_64:", msg="the wheel of cramjam is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
