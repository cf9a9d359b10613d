# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTblib(PythonPackage):
    """Traceback serialization library. (Binary wheel.)"""

    pypi = "tblib/tblib-3.2.2-py3-none-any.whl"

    import_modules = [
        "tblib",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "3.2.2",
        sha256="26bdccf339bcce6a88b2b5432c988b266ebbe63a4e593f6b578b1d2e723d2b76",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
