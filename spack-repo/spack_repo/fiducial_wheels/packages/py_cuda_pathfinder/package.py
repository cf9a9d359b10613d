# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCudaPathfinder(PythonPackage):
    """Pathfinder for CUDA components. (Binary wheel.)"""

    pypi = "cuda-pathfinder/cuda_pathfinder-1.9.0-py3-none-any.whl"

    import_modules = [
        "cuda.pathfinder",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "1.9.0",
        sha256="622df7440f7702f36b7a02a1699aa0b084fe04034d9939188fee9b16d0c36366",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
