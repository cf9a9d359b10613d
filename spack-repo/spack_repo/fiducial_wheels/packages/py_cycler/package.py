# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCycler(PythonPackage):
    """Composable style cycles. (Binary wheel.)"""

    pypi = "cycler/cycler-0.12.1-py3-none-any.whl"

    import_modules = [
        "cycler",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "0.12.1",
        sha256="85cef7cff222d8644161529808465972e51340599459b8ac3ccbac5a854e0d30",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
