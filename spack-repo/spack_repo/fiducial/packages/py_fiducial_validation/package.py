# Generated from validation/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialValidation(PythonPackage):
    """Reference chains, references, calibrated comparisons and the verdict."""

    pypi = "fiducial-validation/fiducial_validation-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="3bc295af8051af3241cb3efcec7e2b5b8dbe2874dd25ba4706b3b9721715e5a0",
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-fiducial-core@0.1:0.1")
        depends_on("py-fiducial-edm@0.1:0.1")
        depends_on("py-fiducial-io@0.1:0.1")
        depends_on("py-fiducial-framework@0.1:0.1")
        depends_on("py-fiducial-generators@0.1:0.1+pythia8")
        depends_on("py-fiducial-simulation@0.1:0.1")
        depends_on("py-fiducial-analysis@0.1:0.1")
        depends_on("py-numpy@2.0:")
        depends_on("py-scipy@1.13:")
        depends_on("py-matplotlib@3.9:")
        depends_on("py-jinja2@3.1:")
        depends_on("py-pydantic@2.7:")
        depends_on("py-typer@0.12:")
        depends_on("py-rich@13.7:")

    def smoke(self):
        return """\
from fiducial.framework import run
assert run("zh_recoil", 10, "out").info["events"] == 10
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
