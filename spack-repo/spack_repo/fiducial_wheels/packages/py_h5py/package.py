# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyH5py(PythonPackage):
    """Read and write HDF5 files from Python. (Binary wheel.)"""

    pypi = "h5py/h5py-3.16.0-cp311-cp311-manylinux_2_28_x86_64.whl"

    import_modules = [
        "h5py",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.16.0",
        sha256="fb1720028d99040792bb2fb31facb8da44a6f29df7697e0b84f0d79aff2e9bd3",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of h5py is for Linux")
    requires("target=x86_64:", msg="the wheel of h5py is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
