# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPillow(PythonPackage):
    """Python Imaging Library (fork). (Binary wheel.)"""

    pypi = "pillow/pillow-13.0.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "PIL",
    ]

    license("MIT-CMU", checked_by="fiducial")

    version(
        "13.0.0",
        sha256="a625df9a2a5597fa5e5266e01aefc82604bb85d291e3547981e863560d75da6c",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pillow is for Linux")
    requires("target=x86_64:", msg="the wheel of pillow is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
