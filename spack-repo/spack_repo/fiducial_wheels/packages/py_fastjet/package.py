# Generated from environments/detector-study/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFastjet(PythonPackage):
    """fastjet. (Binary wheel.)"""

    pypi = "fastjet/fastjet-3.5.2.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "fastjet",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.5.2.0",
        sha256="299bc5b038d4f20f00275af7c011fde93d324aee7e43523f4c63044de5769aba",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of fastjet is for Linux")
    requires("target=x86_64:", msg="the wheel of fastjet is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-awkward")
        depends_on("py-numpy")
        depends_on("py-vector")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import awkward as ak
import fastjet
particles = ak.zip(
    {"px": [10.0, 9.0, -19.0], "py": [0.0, 1.0, -1.0], "pz": [0.0] * 3, "E": [10.0, 9.1, 19.1]},
    with_name="Momentum4D",
)
jets = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4))
assert len(jets.inclusive_jets(5.0)) == 2
""",
        )
