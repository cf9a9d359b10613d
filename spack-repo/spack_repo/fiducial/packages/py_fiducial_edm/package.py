# Generated from components/edm/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialEdm(PythonPackage):
    """EDM4hep event data model as columnar batches of events."""

    pypi = "fiducial-edm/fiducial_edm-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="3cfbb5365d62083872e119fa525ed70aee6072df25c0948db53c2cea64ab12e9",
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-fiducial-core@0.1:0.1")
        depends_on("py-numpy@2.0:")
        depends_on("py-awkward@2.6:")
        depends_on("py-pydantic@2.7:")
        depends_on("py-jinja2@3.1:")
        depends_on("py-typer@0.12:")

    def smoke(self):
        return """\
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection, content_hash
header = EventHeaderCollection.build([1], eventNumber=[0])
muons = MCParticleCollection.build([2], PDG=[13, -13], momentum=([0, 0], [0, 0], [45.6, -45.6]))
event = EventBatch({"EventHeader": header, "MCParticles": muons})
assert len(event["MCParticles"]) == 2 and len(content_hash(event)) == 64
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
