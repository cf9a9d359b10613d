# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyhepmc(PythonPackage):
    """Pythonic interface to the HepMC3 C++ library licensed under LGPL-v3. (Binary wheel.)"""

    pypi = "pyhepmc/pyhepmc-2.16.1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "pyhepmc",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2.16.1",
        sha256="01e5a5d28fd9427888de1a78ac48f13911fc58e9021c4b49fdc6199be5b19dc0",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pyhepmc is for Linux")
    requires("target=x86_64:", msg="the wheel of pyhepmc is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-backports-zstd")
        depends_on("py-numpy")
        depends_on("py-packaging")
