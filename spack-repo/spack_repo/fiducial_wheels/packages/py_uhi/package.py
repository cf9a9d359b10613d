# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyUhi(PythonPackage):
    """Unified Histogram Interface: tools to help library authors work with histograms. (Binary wheel.)"""

    pypi = "uhi/uhi-1.2.1-py3-none-any.whl"

    import_modules = [
        "uhi",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.2.1",
        sha256="063c36d9383d6e1e33ecc0c8b17a01be271012b9c86f11d21afcb8290c23e804",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-numpy")
