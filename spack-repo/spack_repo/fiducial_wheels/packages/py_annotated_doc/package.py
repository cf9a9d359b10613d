# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyAnnotatedDoc(PythonPackage):
    """Document parameters, class attributes, return types, and variables inline, with Annotated. (Binary wheel.)"""

    pypi = "annotated-doc/annotated_doc-0.0.7-py3-none-any.whl"

    import_modules = [
        "annotated_doc",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.0.7",
        sha256="6bc31bbbec6dfaaedc1676dbc11dbda96fe22a2b5c400e9ebad113fec44a9dc6",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
