# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyGeant4Pybind(PythonPackage):
    """Alternative python bindings for Geant4 via pybind11. (Binary wheel.)"""

    pypi = "geant4-pybind/geant4_pybind-0.1.3-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "geant4_pybind",
    ]

    license("Unlicense AND BSD-3-Clause AND LicenseRef-Geant4", checked_by="fiducial")

    version(
        "0.1.3",
        sha256="6d26983eb099bf14dfdd1c3c9306de75b0636cdb76138eaedd4e491d3557ef99",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of geant4-pybind is for Linux")
    requires("target=x86_64:", msg="the wheel of geant4-pybind is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    variant("data", default=False, description="Install Geant4's data sets")

    depends_on("geant4-data@11.4", type="run", when="+data")

    def setup_run_environment(self, env: EnvironmentModifications) -> None:
        """The data sets of +data say themselves where they lie; here only: do not ask for them."""
        env.set("GEANT4_DATA_DIR", self.prefix)

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import geant4_pybind as g4
crystal = g4.G4NistManager.Instance().FindOrBuildMaterial("G4_PbWO4")
assert abs(crystal.GetDensity() / (g4.g / g4.cm3) - 8.28) < 1e-6
assert abs(g4.G4Box("crystal", 1.0, 2.0, 3.0).GetCubicVolume() - 48.0) < 1e-9
""",
        )
