# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyparsing(PythonPackage):
    """pyparsing - Classes and methods to define and execute parsing grammars. (Binary wheel.)"""

    pypi = "pyparsing/pyparsing-3.3.3-py3-none-any.whl"

    import_modules = [
        "pyparsing",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "3.3.3",
        sha256="ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
