# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPythonDateutil(PythonPackage):
    """Extensions to the standard Python datetime module. (Binary wheel.)"""

    pypi = "python-dateutil/python_dateutil-4.0.0-py3-none-any.whl"

    import_modules = [
        "dateutil",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "4.0.0",
        sha256="a5e246f79eb80475e691bf93862cead98decd8a498cf53ba0516fcdc0f50dc1c",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-tzdata")
