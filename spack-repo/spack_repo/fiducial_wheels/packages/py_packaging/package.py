# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPackaging(PythonPackage):
    """Core utilities for Python packages. (Binary wheel.)"""

    pypi = "packaging/packaging-26.3-py3-none-any.whl"

    import_modules = [
        "packaging",
    ]

    license("Apache-2.0 OR BSD-2-Clause", checked_by="fiducial")

    version(
        "26.3",
        sha256="d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
