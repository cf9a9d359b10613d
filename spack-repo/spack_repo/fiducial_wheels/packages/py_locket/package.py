# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyLocket(PythonPackage):
    """File-based locks for Python on Linux and Windows. (Binary wheel.)"""

    pypi = "locket/locket-1.0.0-py2.py3-none-any.whl"

    import_modules = [
        "locket",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "1.0.0",
        sha256="b6c819a722f7b6bd955b80781788e4a66a55628b858d347536b7e81325a3a5e3",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
