# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyZipp(PythonPackage):
    """Backport of pathlib-compatible object wrapper for zip files. (Binary wheel.)"""

    pypi = "zipp/zipp-4.1.2-py3-none-any.whl"

    import_modules = [
        "zipp",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "4.1.2",
        sha256="b30cb6cd253122169c47de245ca24a86bac2a5d3802ba15bf7ba6414eb9e144d",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
