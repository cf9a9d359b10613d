# Generated from stack/pyproject.toml by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFiducialStack(PythonPackage):
    """Lock, build, validate, publish and deploy software stacks."""

    pypi = "fiducial-stack/fiducial_stack-0.1.0.tar.gz"

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="2c2aeede32f70d33baafa67ddad498fe89bf205d1c028b9a2e517b77864d5f14",
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")

    with default_args(type="build"):
        depends_on("py-hatchling@1.25:")

    with default_args(type="run"):
        depends_on("py-typer@0.12:")
        depends_on("py-rich@13.7:")
        depends_on("py-pydantic@2.7:")
        depends_on("py-pyyaml@6.0:")
        depends_on("py-jinja2@3.1:")
        depends_on("py-markupsafe@2.1:")
        depends_on("py-cryptography@42:")
        depends_on("py-packaging@24:")
        depends_on("py-uv@0.5:")
        depends_on("py-hatchling@1.25:")
        depends_on("py-griffelib@2:")
        depends_on("py-isal@1.7:")
        depends_on("py-zlib-ng@0.5:")

    def smoke(self):
        return """\
from fiducial.stack.dsse import seal, unseal
from fiducial.stack.errors import StackError
from fiducial.stack.keys import PrivateKey
ours, other = PrivateKey.generate(), PrivateKey.generate()
envelope = seal("text/plain", b"ten events", ours)
opened = unseal(envelope, "text/plain", {ours.key_id: ours.public}, "the note")
assert opened.payload == b"ten events"
try:
    unseal(envelope, "text/plain", {other.key_id: other.public}, "the note")
except StackError:
    pass
else:
    raise SystemExit("an unknown key was believed")
"""

    def test_smoke(self):
        """use the installed package"""
        self.module.python("-c", self.smoke())
