# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyUv(PythonPackage):
    """An extremely fast Python package and project manager, written in Rust. (Binary wheel.)"""

    pypi = "uv/uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"

    import_modules = [
        "uv",
    ]

    license("MIT OR Apache-2.0", checked_by="fiducial")

    version(
        "0.13.9",
        sha256="d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of uv is for Linux")
    requires("target=x86_64:", msg="the wheel of uv is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
