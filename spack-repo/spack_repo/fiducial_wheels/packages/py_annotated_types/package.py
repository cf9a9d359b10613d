# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyAnnotatedTypes(PythonPackage):
    """Reusable constraint types to use with typing.Annotated. (Binary wheel.)"""

    pypi = "annotated-types/annotated_types-0.8.0-py3-none-any.whl"

    import_modules = [
        "annotated_types",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.8.0",
        sha256="f072f4d804ea359e4eaf198b1af7a8b0943881a87f31bb764f8bf219bb9419e0",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
