# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyacts(PythonPackage):
    """Python bindings for ACTS, an experiment-independent toolkit for charged particle track reconstruction. (Binary wheel.)"""

    pypi = "pyacts/pyacts-48.1.0-cp311-cp311-manylinux_2_34_x86_64.whl"

    import_modules = [
        "acts",
    ]

    license("MPL-2.0", checked_by="fiducial")

    version(
        "48.1.0",
        sha256="52c9560ef741df0507b34a6a2cbbcd6813c407371165deef1b7584bd062b9beb",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pyacts is for Linux")
    requires("target=x86_64:", msg="the wheel of pyacts is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
from pathlib import Path
import acts
import acts.examples
from acts.examples.simulation import EtaConfig, MomentumConfig, ParticleConfig
from acts.examples.simulation import addFatras, addParticleGun
gev, tesla, quiet = acts.UnitConstants.GeV, acts.UnitConstants.T, acts.logging.WARNING
detector = acts.examples.GenericDetector(acts.examples.GenericDetector.Config())
field = acts.ConstantBField(acts.Vector3(0, 0, 2 * tesla))
rnd = acts.examples.RandomNumbers(seed=42)
chain = acts.examples.Sequencer(events=10, numThreads=1, logLevel=quiet, trackFpes=False)
momentum, muon = MomentumConfig(5 * gev, 5 * gev), ParticleConfig(1, acts.PdgParticle.eMuon)
addParticleGun(chain, momentum, EtaConfig(-1, 1), muon, rnd=rnd, logLevel=quiet)
chain.addWhiteboardAlias("particles_generated_selected", "particles_generated")
geometry = detector.trackingGeometry()
addFatras(chain, geometry, field, rnd, outputDirCsv="hits", logLevel=quiet)
chain.run()
hits = [len(path.read_text().splitlines()) - 1 for path in Path("hits").glob("*-hits.csv")]
assert len(hits) == 10 and min(hits) >= 8
""",
        )
