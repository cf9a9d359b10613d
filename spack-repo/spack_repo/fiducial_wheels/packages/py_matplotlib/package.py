# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMatplotlib(PythonPackage):
    """Python plotting package. (Binary wheel.)"""

    pypi = "matplotlib/matplotlib-3.11.2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = [
        "matplotlib",
        "mpl_toolkits.axes_grid1",
        "mpl_toolkits.axisartist",
        "mpl_toolkits.mplot3d",
        "pylab",
    ]

    license("PSF-2.0", checked_by="fiducial")

    version(
        "3.11.2",
        sha256="07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of matplotlib is for Linux")
    requires("target=x86_64:", msg="the wheel of matplotlib is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-contourpy")
        depends_on("py-cycler")
        depends_on("py-fonttools")
        depends_on("py-kiwisolver")
        depends_on("py-numpy")
        depends_on("py-packaging")
        depends_on("py-pillow")
        depends_on("py-pyparsing")
        depends_on("py-python-dateutil")
