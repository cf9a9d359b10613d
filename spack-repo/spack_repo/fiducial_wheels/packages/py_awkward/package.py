# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyAwkward(PythonPackage):
    """Manipulate JSON-like data with NumPy-like idioms. (Binary wheel.)"""

    pypi = "awkward/awkward-2.14.0-py3-none-any.whl"

    import_modules = [
        "awkward",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2.14.0",
        sha256="bbdcecf16c8358bac2eb20285659325fc7a71e439779f1259277693357689efd",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-awkward-cpp")
        depends_on("py-fsspec")
        depends_on("py-importlib-metadata")
        depends_on("py-numpy")
        depends_on("py-packaging")
