# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPygments(PythonPackage):
    """Pygments is a syntax highlighting package written in Python. (Binary wheel.)"""

    pypi = "pygments/pygments-2.21.0-py3-none-any.whl"

    import_modules = [
        "pygments",
    ]

    license("BSD-2-Clause", checked_by="fiducial")

    version(
        "2.21.0",
        sha256="2363c69b61c4a97c838da3b130dcd6468f4848992b21a82f2a63ec34377137d9",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
