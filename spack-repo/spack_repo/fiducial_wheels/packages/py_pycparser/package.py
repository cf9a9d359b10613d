# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPycparser(PythonPackage):
    """C parser in Python. (Binary wheel.)"""

    pypi = "pycparser/pycparser-3.12-py3-none-any.whl"

    import_modules = [
        "pycparser",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.12",
        sha256="a076f3f489b39b43ed13563a1dafe42447445bec2e294154ec5c57fcdda4c85e",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
