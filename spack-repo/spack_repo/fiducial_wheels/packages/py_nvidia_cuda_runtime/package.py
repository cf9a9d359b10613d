# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNvidiaCudaRuntime(PythonPackage):
    """CUDA Runtime native Libraries. (Binary wheel.)"""

    pypi = "nvidia-cuda-runtime/nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.5.37",
        sha256="df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of nvidia-cuda-runtime is for Linux")
    requires("target=x86_64:", msg="the wheel of nvidia-cuda-runtime is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import ctypes, importlib.metadata
files = importlib.metadata.files("nvidia-cuda-runtime")
(library,) = [file.locate() for file in files if file.name.startswith("libcudart.so")]
version = ctypes.c_int()
assert ctypes.CDLL(str(library)).cudaRuntimeGetVersion(ctypes.byref(version)) == 0
assert version.value // 1000 == 13
""",
        )
