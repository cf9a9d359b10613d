# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyAttrs(PythonPackage):
    """Classes Without Boilerplate. (Binary wheel.)"""

    pypi = "attrs/attrs-26.1.0-py3-none-any.whl"

    import_modules = [
        "attr",
        "attrs",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "26.1.0",
        sha256="c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
