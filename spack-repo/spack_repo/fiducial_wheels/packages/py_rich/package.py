# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyRich(PythonPackage):
    """Render rich text, tables, progress bars, syntax highlighting, markdown and more to the terminal. (Binary wheel.)"""

    pypi = "rich/rich-15.0.0-py3-none-any.whl"

    import_modules = [
        "rich",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "15.0.0",
        sha256="33bd4ef74232fb73fe9279a257718407f169c09b78a87ad3d296f548e27de0bb",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-markdown-it-py")
        depends_on("py-pygments")
