# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHatchling(PythonPackage):
    """Modern, extensible Python build backend. (Binary wheel.)"""

    pypi = "hatchling/hatchling-1.33.0-py3-none-any.whl"

    import_modules = [
        "hatchling",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "1.33.0",
        sha256="415290b84f464d2884303fca8974d38e7b85579069fab02a15db0828fbb1446d",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-packaging")
        depends_on("py-pathspec")
        depends_on("py-pluggy")
        depends_on("py-tomlkit")
        depends_on("py-trove-classifiers")
