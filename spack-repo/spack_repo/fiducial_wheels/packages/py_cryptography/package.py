# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCryptography(PythonPackage):
    """cryptography is a package which provides cryptographic recipes and primitives to Python developers. (Binary wheel.)"""

    pypi = "cryptography/cryptography-50.0.2-cp311-abi3-manylinux_2_28_x86_64.whl"

    import_modules = [
        "cryptography",
    ]

    license("Apache-2.0 OR BSD-3-Clause", checked_by="fiducial")

    version(
        "50.0.2",
        sha256="4061c0079120205fb760c58acab6443e217307dcf05e3702cf970e0689972856",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of cryptography is for Linux")
    requires("target=x86_64:", msg="the wheel of cryptography is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
        depends_on("py-cffi")
