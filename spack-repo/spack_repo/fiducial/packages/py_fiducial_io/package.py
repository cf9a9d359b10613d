# Generated from components/io/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialIo(PythonPackage):
    """Event files: RNTuple, HepMC3 and LHE."""

    pypi = "fiducial-io/fiducial_io-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="df704aa75579907c30f8658c7ef3e6ad10cb9f098337ab6716f95f355f68fbbd",
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
        depends_on("py-awkward@2.6:")
        depends_on("py-cramjam@2.8:")
        depends_on("py-uproot@5.6:")
        depends_on("py-pyhepmc@2.14:")
        depends_on("py-pylhe@1.0:")
        depends_on("py-xxhash@3.0:")
        depends_on("py-particle@0.25:")

    def smoke(self):
        return """\
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.io import read_rntuple, write_rntuple
header = EventHeaderCollection.build([1], eventNumber=[0])
muons = MCParticleCollection.build([2], PDG=[13, -13], momentum=([0, 0], [0, 0], [45.6, -45.6]))
event = EventBatch({"EventHeader": header, "MCParticles": muons})
write_rntuple("events.root", event, {})
assert read_rntuple("events.root") == event
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
