# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyParticle(PythonPackage):
    """Extended PDG particle data and MC identification codes. (Binary wheel.)"""

    pypi = "particle/particle-1.1.0-py3-none-any.whl"

    import_modules = [
        "particle",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.1.0",
        sha256="3d570041e41c7ea623c1d1d8c5e698024b51201dba401b808fc9d9bff78e443e",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-attrs")
        depends_on("py-hepunits")
