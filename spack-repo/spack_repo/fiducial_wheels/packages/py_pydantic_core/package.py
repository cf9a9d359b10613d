# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPydanticCore(PythonPackage):
    """Core functionality for Pydantic validation and serialization. (Binary wheel.)"""

    pypi = "pydantic-core/pydantic_core-2.50.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = [
        "pydantic_core",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "2.50.4",
        sha256="0574866e05f6adeecc520d87e87dd06210c0a51706341f6ef8421572f5a64444",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pydantic-core is for Linux")
    requires("target=x86_64:", msg="the wheel of pydantic-core is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-typing-extensions")
