# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTypingInspection(PythonPackage):
    """Runtime typing introspection tools. (Binary wheel.)"""

    pypi = "typing-inspection/typing_inspection-0.4.5-py3-none-any.whl"

    import_modules = [
        "typing_inspection",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.4.5",
        sha256="bc210535442b39e1bf2805e0c7a17dfd6a4ace760c84c7f7d16245d23a6b1c39",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-typing-extensions")
