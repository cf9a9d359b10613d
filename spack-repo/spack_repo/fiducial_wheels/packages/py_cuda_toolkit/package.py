# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCudaToolkit(PythonPackage):
    """CUDA Toolkit meta-package. (Binary wheel.)"""

    pypi = "cuda-toolkit/cuda_toolkit-13.5.0-py2.py3-none-any.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.5.0",
        sha256="d5b168b8284af2bad07f313b4d9fd5af0d1c7d6a26b7b019f735784ef718a737",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-nvidia-cuda-cccl")
        depends_on("py-nvidia-cuda-nvrtc")
        depends_on("py-nvidia-cuda-runtime")
        depends_on("py-nvidia-nvvm")
