# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTomlkit(PythonPackage):
    """Style preserving TOML library. (Binary wheel.)"""

    pypi = "tomlkit/tomlkit-0.15.2-py3-none-any.whl"

    import_modules = [
        "tomlkit",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.15.2",
        sha256="05562412163a3037b94497385fb7f9204c637bc605af7a48199e41cf2272f437",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
