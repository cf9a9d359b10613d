# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPluggy(PythonPackage):
    """plugin and hook calling mechanisms for python. (Binary wheel.)"""

    pypi = "pluggy/pluggy-1.7.0-py3-none-any.whl"

    import_modules = [
        "pluggy",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "1.7.0",
        sha256="7dd7b0d8832ba3cb632c306926ded123429211b83641b35dc5c41ad2d34f9bec",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
