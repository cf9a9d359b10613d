# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNvidiaCudaNvrtc(PythonPackage):
    """NVRTC native runtime libraries. (Binary wheel.)"""

    pypi = "nvidia-cuda-nvrtc/nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.5.37",
        sha256="86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of nvidia-cuda-nvrtc is for Linux")
    requires("target=x86_64:", msg="the wheel of nvidia-cuda-nvrtc is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import ctypes, importlib.metadata
files = importlib.metadata.files("nvidia-cuda-nvrtc")
(library,) = [file.locate() for file in files if file.name.startswith("libnvrtc.so")]
ctypes.CDLL(str(library))
""",
        )
