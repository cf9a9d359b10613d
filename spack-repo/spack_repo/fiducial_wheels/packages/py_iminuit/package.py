# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyIminuit(PythonPackage):
    """Jupyter-friendly Python frontend for MINUIT2 in C++. (Binary wheel.)"""

    pypi = "iminuit/iminuit-2.33.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "iminuit",
    ]

    license("MIT AND LGPL-2.1-or-later", checked_by="fiducial")

    version(
        "2.33.0",
        sha256="189279e7b7765402919689cd30c9a3aad46d346e6c99583e5bfe45bd098d3d5e",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of iminuit is for Linux")
    requires("target=x86_64:", msg="the wheel of iminuit is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
