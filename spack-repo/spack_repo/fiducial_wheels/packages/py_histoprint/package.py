# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHistoprint(PythonPackage):
    """Pretty print of NumPy (and other) histograms to the console. (Binary wheel.)"""

    pypi = "histoprint/histoprint-2.7.1-py3-none-any.whl"

    import_modules = [
        "histoprint",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "2.7.1",
        sha256="3d8ff0fa0d57bbe9b4815e413a2b57ca1ee5f2efbfd818d877a709ba865319af",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-click")
        depends_on("py-numpy")
        depends_on("py-uhi")
