# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyGriffelib(PythonPackage):
    """Signatures for entire Python programs. Extract the structure, the frame, the skeleton of your project, to generate API documentation or find breaking changes in your API. (Binary wheel.)"""

    pypi = "griffelib/griffelib-2.4.1-py3-none-any.whl"

    import_modules = [
        "griffe",
    ]

    license("ISC", checked_by="fiducial")

    version(
        "2.4.1",
        sha256="76bc562f936ad1ce198d2cf6d0731bd5c92a7d934b69ef828ef22ee0ffdb62ce",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
