# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNvidiaNvjitlink(PythonPackage):
    """Nvidia JIT LTO Library. (Binary wheel.)"""

    pypi = "nvidia-nvjitlink/nvidia_nvjitlink-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.5.37",
        sha256="280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of nvidia-nvjitlink is for Linux")
    requires("target=x86_64:", msg="the wheel of nvidia-nvjitlink is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import ctypes, importlib.metadata
files = importlib.metadata.files("nvidia-nvjitlink")
(library,) = [file.locate() for file in files if file.name.startswith("libnvJitLink.so")]
ctypes.CDLL(str(library))
""",
        )
