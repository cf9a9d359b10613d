# Generated from components/framework/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialFramework(PythonPackage):
    """Steps, chains and executors: run a reference chain anywhere with the same answer."""

    pypi = "fiducial-framework/fiducial_framework-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="5ed3ac33f65e84e285a513a16f60c2e8de8a88ea08639532c94b6c1ace5240af",
    )

    variant("dask", default=False, description="Run chains with Dask and batch systems")

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-fiducial-core@0.1:0.1")
        depends_on("py-fiducial-edm@0.1:0.1")
        depends_on("py-fiducial-io@0.1:0.1")
        depends_on("py-numpy@2.0:")
        depends_on("py-pydantic@2.7:")
        depends_on("py-typer@0.12:")
        depends_on("py-rich@13.7:")
        depends_on("py-distributed@2024.8:", when="+dask")
        depends_on("py-dask-jobqueue@0.9:", when="+dask")

    def smoke(self):
        return """\
import json
import pathlib
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.framework import run
from fiducial.io import write_rntuple
header = EventHeaderCollection.build([1] * 10, eventNumber=range(10))
muons = MCParticleCollection.build([1] * 10, PDG=13, momentum=(0, 0, 45.6))
write_rntuple("in.root", EventBatch({"EventHeader": header, "MCParticles": muons}), {})
read = {"name": "read", "use": "read_rntuple", "with": {"path": "in.root"}}
keep = {"format": "rntuple", "keep": ["EventHeader", "MCParticles"]}
chain = {"chain": "copy", "title": "read and write", "seed": 1, "scales": {"smoke": 10}}
chain |= {"steps": [read], "outputs": {"events": keep}}
pathlib.Path("copy.yaml").write_text(json.dumps(chain))
assert run("copy.yaml", 10, "out").info["events"] == 10
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
