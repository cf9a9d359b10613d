# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMsgpack(PythonPackage):
    """MessagePack serializer. (Binary wheel.)"""

    pypi = "msgpack/msgpack-1.2.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"

    import_modules = [
        "msgpack",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "1.2.4",
        sha256="a45ceb5f199d5e388f28b550ba881096a3740d4bda10e661d77f59d9a2e8187a",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of msgpack is for Linux")
    requires("target=x86_64:", msg="the wheel of msgpack is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
