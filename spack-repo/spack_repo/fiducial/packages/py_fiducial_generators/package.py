# Generated from components/generators/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialGenerators(PythonPackage):
    """Event generators behind one interface: Pythia 8 and the particle gun."""

    pypi = "fiducial-generators/fiducial_generators-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="a26e9b02b15ef2d5ecb6385907fce54f1d35fa293e151003848e36def7597c51",
    )

    variant("pythia8", default=False, description="Generate events with Pythia 8")

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
        depends_on("py-particle@0.25:")
        depends_on("py-pythia8mc@=8.317.2", when="+pythia8")

    def smoke(self):
        return """\
from fiducial.generators.gun import Gun
events = Gun(particles=[13, 22], momentum=10.0, theta=1.0).produce(0, 10, 1)
assert events["MCParticles"].PDG.tolist() == [13, 22] * 5
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
