# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHist(PythonPackage):
    """Hist classes and utilities. (Binary wheel.)"""

    pypi = "hist/hist-2.12.1-py3-none-any.whl"

    import_modules = [
        "hist",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2.12.1",
        sha256="be9e4c9e92d73dc5eab516fb9565fd6dedf47370db35ec52d3951efd6dd3aef8",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-boost-histogram")
        depends_on("py-histoprint")
        depends_on("py-numpy")
        depends_on("py-packaging")
