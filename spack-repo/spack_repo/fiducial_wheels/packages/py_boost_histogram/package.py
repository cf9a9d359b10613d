# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyBoostHistogram(PythonPackage):
    """The Boost::Histogram Python wrapper. (Binary wheel.)"""

    pypi = "boost-histogram/boost_histogram-1.8.1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "boost_histogram",
    ]

    license("BSD-3-Clause AND BSL-1.0", checked_by="fiducial")

    version(
        "1.8.1",
        sha256="ac2af99a0dc7221fe17c13439d7963e93566fb5af2e3c39e3a0389e2f6911d09",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of boost-histogram is for Linux")
    requires("target=x86_64:", msg="the wheel of boost-histogram is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")
