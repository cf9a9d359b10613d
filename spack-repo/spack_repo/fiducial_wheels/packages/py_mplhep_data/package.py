# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMplhepData(PythonPackage):
    """Font (Data) sub-package for mplhep. (Binary wheel.)"""

    pypi = "mplhep-data/mplhep_data-0.1.0-py3-none-any.whl"

    import_modules = [
        "mplhep_data",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="0757bbdf5707d68ae03cd980e043f1b8d176aea766dc6c33338a572c20e20755",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
