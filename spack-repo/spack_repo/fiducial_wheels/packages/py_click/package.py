# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyClick(PythonPackage):
    """Composable command line interface toolkit. (Binary wheel.)"""

    pypi = "click/click-8.5.1-py3-none-any.whl"

    import_modules = [
        "click",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "8.5.1",
        sha256="8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
