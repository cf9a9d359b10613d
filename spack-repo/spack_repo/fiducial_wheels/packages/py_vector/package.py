# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyVector(PythonPackage):
    """Vector classes and utilities. (Binary wheel.)"""

    pypi = "vector/vector-1.9.0-py3-none-any.whl"

    import_modules = [
        "vector",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.9.0",
        sha256="791f882db0dbc6738127c67cbd8c1a0ba6e63e40121dba7f69cc5c98327e9f13",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-numpy")
        depends_on("py-packaging")
