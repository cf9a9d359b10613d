# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPydantic(PythonPackage):
    """Data validation using Python type hints. (Binary wheel.)"""

    pypi = "pydantic/pydantic-2.14.3-py3-none-any.whl"

    import_modules = [
        "pydantic",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "2.14.3",
        sha256="3f7b347782ab7e4cf4c798496ae3a82787d9f21ec12676a9c564355eeef8daa8",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-annotated-types")
        depends_on("py-pydantic-core")
        depends_on("py-typing-extensions")
        depends_on("py-typing-inspection")
