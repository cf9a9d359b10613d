# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPathspec(PythonPackage):
    """Utility library for gitignore style pattern matching of file paths. (Binary wheel.)"""

    pypi = "pathspec/pathspec-1.1.1-py3-none-any.whl"

    import_modules = [
        "pathspec",
    ]

    license("MPL-2.0", checked_by="fiducial")

    version(
        "1.1.1",
        sha256="a00ce642f577bf7f473932318056212bc4f8bfdf53128c78bbd5af0b9b20b189",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
