# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMdurl(PythonPackage):
    """Markdown URL utilities. (Binary wheel.)"""

    pypi = "mdurl/mdurl-0.1.2-py3-none-any.whl"

    import_modules = [
        "mdurl",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.1.2",
        sha256="84008a41e51615a49fc9966191ff91509e3c40b939176e643fd50a5c2196b8f8",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
