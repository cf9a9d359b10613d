# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPylhe(PythonPackage):
    """A small package to get structured data out of Les Houches Event files. (Binary wheel.)"""

    pypi = "pylhe/pylhe-2.1.0-py3-none-any.whl"

    import_modules = [
        "pylhe",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "2.1.0",
        sha256="2c91195426c9e3e376ad3245cc65a2481db878b28d8f5f26db0e1aa898e644a7",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-awkward")
        depends_on("py-graphviz")
        depends_on("py-h5py")
        depends_on("py-numpy")
        depends_on("py-particle")
        depends_on("py-vector")
