# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHepunits(PythonPackage):
    """Units and constants in the HEP system of units. (Binary wheel.)"""

    pypi = "hepunits/hepunits-2.4.7-py3-none-any.whl"

    import_modules = [
        "hepunits",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2.4.7",
        sha256="6b67e387dbffb579cf8b01892681c6a91440de71e18c7b7578f241324f591895",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
