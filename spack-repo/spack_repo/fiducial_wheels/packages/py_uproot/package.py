# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyUproot(PythonPackage):
    """ROOT I/O in pure Python and NumPy. (Binary wheel.)"""

    pypi = "uproot/uproot-5.7.7-py3-none-any.whl"

    import_modules = [
        "uproot",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "5.7.7",
        sha256="3b9248a6af1a233011b095fdcb18db23d30a1d6e0dc1e82fb6e0d517ac1a25e0",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-awkward")
        depends_on("py-cramjam")
        depends_on("py-fsspec")
        depends_on("py-numpy")
        depends_on("py-packaging")
        depends_on("py-xxhash")
