# Generated from spack-repo/distributions.yaml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

from spack_repo.builtin.build_systems.bundle import BundlePackage

from spack.package import *


class Fiducial(BundlePackage):
    """Fiducial: a high energy physics software stack whose releases are proven by physics.

    Its components, and with variants the engines of the field beside them. As binary wheels with
    the repository fiducial_wheels, compiled from builtin's recipes where it is left out.
    """

    license("Apache-2.0", checked_by="fiducial")

    version("0.1.0")
    version("main")  # any versions of the components: for development

    variant("validation", default=True, description="Reference chains, references, the verdict")
    variant("pythia8", default=True, description="Generate with Pythia 8")
    variant("dask", default=True, description="Run chains with Dask and on batch systems")
    variant("geant4", default=False, description="Geant4 for Python")
    variant("acts", default=False, description="ACTS for Python, with its examples")
    variant("root", default=False, description="ROOT for Python")
    variant("cuda", default=False, description="Run kernels on NVIDIA GPUs")
    variant("docs", default=False, description="What building the documentation needs")
    variant("analysis", default=False, description="Histograms, fits, plots, jets and ROOT")
    variant("detector_study", default=False, description="Every engine, and all for analysis")

    requires(
        "+geant4+acts+root+pythia8+analysis",
        when="+detector_study",
        msg="a detector study has every engine: leave out +detector_study to choose among them",
    )
    requires("+root", when="+analysis", msg="+analysis brings ROOT")
    requires("+pythia8", when="+validation", msg="the reference chains generate with Pythia 8")
    requires(
        "platform=linux target=x86_64:",
        when="+cuda",
        msg="numba-cuda, cupy and NVIDIA's libraries are wheels for Linux on x86_64",
    )
    for old in ("almalinux8", "centos7", "centos8", "debian11", "rhel8", "rocky8", "ubuntu20.04"):
        conflicts("+acts", when=f"os={old}", msg="the wheel of pyacts needs glibc 2.34 or newer")

    with default_args(type="run"):
        depends_on("py-fiducial-analysis", when="@=main")
        depends_on("py-fiducial-core", when="@=main")
        depends_on("py-fiducial-edm", when="@=main")
        depends_on("py-fiducial-framework", when="@=main")
        depends_on("py-fiducial-generators", when="@=main")
        depends_on("py-fiducial-io", when="@=main")
        depends_on("py-fiducial-simulation", when="@=main")
        depends_on("py-fiducial-stack", when="@=main")
        depends_on("py-fiducial-validation", when="@=main+validation")
        depends_on("py-fiducial-analysis@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-core@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-edm@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-framework@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-generators@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-io@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-simulation@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-stack@=0.1.0", when="@=0.1.0")
        depends_on("py-fiducial-validation@=0.1.0", when="@=0.1.0+validation")

        depends_on("py-fiducial-core+cuda", when="+cuda")
        depends_on("py-fiducial-framework+dask", when="+dask")
        depends_on("py-fiducial-generators+pythia8", when="+pythia8")
        depends_on("py-cupy-cuda13x", when="+cuda")
        depends_on("py-geant4-pybind", when="+geant4")
        depends_on("py-pyacts", when="+acts")
        depends_on("py-root", when="+root")
        depends_on("py-fastjet", when="+analysis")
        depends_on("py-hist", when="+analysis")
        depends_on("py-iminuit", when="+analysis")
        depends_on("py-mplhep", when="+analysis")
        depends_on("py-furo", when="+docs")
        depends_on("py-myst-parser", when="+docs")
        depends_on("py-sphinx", when="+docs")

    def test_ten_events(self):
        """ten events of a particle gun through the parametrised detector"""
        Path("ten_muons.yaml").write_text(
            """\
chain: ten_muons
title: Ten muons through the parametrised detector
seed: 1
scales: {smoke: 10}
steps:
  - name: generate
    use: gun
    with: {particles: [13], momentum: 10, cos_theta: {min: -0.5, max: 0.5}}
  - {name: simulate, use: fastsim, with: {card: idea}}
outputs:
  events: {format: rntuple, keep: [EventHeader, MCParticles, ReconstructedParticles]}
"""
        )
        self.run_chain("ten_muons.yaml", "muons")

    def test_reference_chain(self):
        """ten events of a reference chain"""
        if not self.spec.satisfies("+validation"):
            raise SkipTest("the reference chains come with +validation")
        self.run_chain("zh_recoil", "recoil")

    def run_chain(self, chain, out):
        fiducial = Executable(self.spec["py-fiducial-stack"].prefix.bin.fiducial)
        fiducial("run", chain, "--events", "10", "--out", out)
        assert '"events": 10,' in Path(out, "run.json").read_text()
