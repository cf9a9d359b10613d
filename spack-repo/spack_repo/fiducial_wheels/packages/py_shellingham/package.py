# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyShellingham(PythonPackage):
    """Tool to Detect Surrounding Shell. (Binary wheel.)"""

    pypi = "shellingham/shellingham-1.5.4-py2.py3-none-any.whl"

    import_modules = [
        "shellingham",
    ]

    license("ISC", checked_by="fiducial")

    version(
        "1.5.4",
        sha256="7ecfff8f2fd72616f7481040475a65b2bf8af90a56c89140852d1120324e8686",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
