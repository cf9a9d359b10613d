# Generated from components/simulation/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialSimulation(PythonPackage):
    """Detector simulation: the parametric fast simulation on CPU and GPU."""

    pypi = "fiducial-simulation/fiducial_simulation-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="9a6835d93101bdc5cc7fea1375414d2bb273c6ee09925112f32006e850ba5106",
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
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.simulation.steps import FastSim
header = EventHeaderCollection.build([1], eventNumber=[0])
photon = MCParticleCollection.build([1], PDG=[22], generatorStatus=[1], momentum=([30], [0], [0]))
event = EventBatch({"EventHeader": header, "MCParticles": photon})
found = FastSim(card="idea").transform(event, seed=1)["ReconstructedParticles"]
assert len(found) == 1 and 20 < found.energy[0] < 40
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
