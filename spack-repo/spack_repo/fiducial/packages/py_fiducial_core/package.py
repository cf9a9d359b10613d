# Generated from components/core/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialCore(PythonPackage):
    """Units, constants, errors, counter-based random numbers and kernel launch on CPU and GPU."""

    pypi = "fiducial-core/fiducial_core-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="8100da55c91932ef6589bcf0f8ea481bd4eaa25ca8f496c04c6fb907d1e947fa",
    )

    variant("cuda", default=False, description="Run kernels on NVIDIA GPUs")

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-numpy@2.0:")
        depends_on("py-numba@0.61:")
        depends_on("py-pydantic@2.7:")
        depends_on("py-pyyaml@6.0:")
        depends_on("py-numba-cuda@0.20:", when="+cuda")

    def smoke(self):
        return """\
from fiducial.core.random import uniform
assert uniform(1, 2, 3, 4) == uniform(1, 2, 3, 4) != uniform(1, 2, 3, 5)
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
