# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNvidiaNvvm(PythonPackage):
    """NVVM Libraries. (Binary wheel.)"""

    pypi = "nvidia-nvvm/nvidia_nvvm-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.5.37",
        sha256="c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of nvidia-nvvm is for Linux")
    requires("target=x86_64:", msg="the wheel of nvidia-nvvm is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")

    def test_smoke(self):
        """use the installed package"""
        python = self.module.python
        python(
            "-c",
            """\
import ctypes, importlib.metadata
files = importlib.metadata.files("nvidia-nvvm")
(library,) = [file.locate() for file in files if file.name.startswith("libnvvm.so")]
ctypes.CDLL(str(library))
""",
        )
