# Generated from components/analysis/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialAnalysis(PythonPackage):
    """Event selections and the physics quantities that observables are made of."""

    pypi = "fiducial-analysis/fiducial_analysis-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="995838b1f52a047d6f500ee83d302421c7e0189ff0aec2e6688122cae0b0e594",
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-fiducial-core@0.1:0.1")
        depends_on("py-fiducial-edm@0.1:0.1")
        depends_on("py-numpy@2.0:")
        depends_on("py-numba@0.61:")
        depends_on("py-pydantic@2.7:")

    def smoke(self):
        return """\
import numpy as np
from fiducial.analysis.thrust import thrust
pz = np.array([45.6, -45.6])
value, axis = thrust(np.array([0, 2]), 0 * pz, 0 * pz, pz)
assert abs(value[0] - 1) < 1e-12 and abs(axis[0, 2]) == 1
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
