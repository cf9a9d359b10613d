# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPythia8mc(PythonPackage):
    """General purpose particle physics Monte Carlo generator. (Binary wheel.)"""

    pypi = "pythia8mc/pythia8mc-8.317.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"

    import_modules = [
        "pythia8mc",
    ]

    license("GPL-2.0-or-later", checked_by="fiducial")

    version(
        "8.317.2",
        sha256="166b8885d0f53c97c87b7817d0576206f1d1c6fbad427afb46d43528a2a3dc42",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of pythia8mc is for Linux")
    requires("target=x86_64:", msg="the wheel of pythia8mc is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import pythia8mc
pythia = pythia8mc.Pythia("", False)
for setting in ("Print:quiet = on", "Beams:idA = 11", "Beams:idB = -11", "Beams:eCM = 91.2",
                "WeakSingleBoson:ffbar2gmZ = on", "PDF:lepton = off"):
    assert pythia.readString(setting)
assert pythia.init() and pythia.next()
final = [particle.e() for particle in pythia.event if particle.isFinal()]
assert abs(sum(final) - 91.2) < 1e-3
""",
        )
