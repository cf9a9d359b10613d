# Generated from environments/gpu/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyNvidiaCudaCccl(PythonPackage):
    """CUDA CCCL. (Binary wheel.)"""

    pypi = "nvidia-cuda-cccl/nvidia_cuda_cccl-13.3.5.0.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"

    import_modules = []  # it holds no Python

    license("LicenseRef-NVIDIA-Proprietary", checked_by="fiducial")

    version(
        "13.3.5.0.6",
        sha256="d5230098fa2df5021e1a00c0c4eee41797671a91119d31e892463e5ccf3ee326",
        expand=False,
    )

    requires("platform=linux", msg="the wheel of nvidia-cuda-cccl is for Linux")
    requires("target=x86_64:", msg="the wheel of nvidia-cuda-cccl is for x86_64")

    with default_args(type=("build", "run")):
        depends_on("python@3.11")
