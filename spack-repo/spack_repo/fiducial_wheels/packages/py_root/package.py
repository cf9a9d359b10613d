# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyRoot(PythonPackage):
    """Analyzing petabytes of data, scientifically. (Binary wheel.)"""

    pypi = "root/root-0.1a12-cp311-cp311-manylinux_2_28_x86_64.whl"

    import_modules = [
        "ROOT",
        "cmdLineUtils",
        "cppyy",
    ]

    license("LGPL-2.1-or-later", checked_by="fiducial")

    version(
        "0.1a12",
        sha256="3aec82a04f1464f663f15dd895825068f5842edbde867d8fb3f15d04d66ffad7",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of root is for Linux")
    requires("target=x86_64:", msg="the wheel of root is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-numpy")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import ROOT
histogram = ROOT.TH1D("mass", "mass", 40, 60.0, 120.0)
for mass in (90.0, 91.0, 92.0):
    histogram.Fill(mass)
assert histogram.GetEntries() == 3 and abs(histogram.GetMean() - 91.0) < 1e-9
""",
        )
