# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMarkdownItPy(PythonPackage):
    """Python port of markdown-it. Markdown parsing, done right!. (Binary wheel.)"""

    pypi = "markdown-it-py/markdown_it_py-4.3.0-py3-none-any.whl"

    import_modules = [
        "markdown_it",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "4.3.0",
        sha256="7aa1511a46c39138de78d9eba92ce47e63124d8003fc98b3a351909e04239efa",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-mdurl")
