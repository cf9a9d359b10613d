# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMplhep(PythonPackage):
    """Matplotlib styles for HEP. (Binary wheel.)"""

    pypi = "mplhep/mplhep-1.3.3-py3-none-any.whl"

    import_modules = [
        "mplhep",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "1.3.3",
        sha256="d2fae11a1f1f57946895cf89800e0ac16c03ed4de4d4a76a4bd2d2ff6052ae7e",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-matplotlib")
        depends_on("py-mplhep-data")
        depends_on("py-numpy")
        depends_on("py-uhi")
