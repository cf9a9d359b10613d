# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyyaml(PythonPackage):
    """YAML parser and emitter for Python. (Binary wheel.)"""

    pypi = "pyyaml/pyyaml-6.0.3-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "yaml",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "6.0.3",
        sha256="b8bb0864c5a28024fac8a632c443c87c5aa6f215c0b126c449ae1a150412f31d",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pyyaml is for Linux")
    requires("target=x86_64:", msg="the wheel of pyyaml is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    variant("libyaml", default=True, description="With the C parser")

    conflicts("~libyaml", msg="the wheel of pyyaml has the C parser")
