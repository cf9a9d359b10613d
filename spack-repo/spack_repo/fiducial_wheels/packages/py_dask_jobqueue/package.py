# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyDaskJobqueue(PythonPackage):
    """Deploy Dask on job queuing systems like PBS, Slurm, SGE or LSF. (Binary wheel.)"""

    pypi = "dask-jobqueue/dask_jobqueue-0.9.0-py2.py3-none-any.whl"

    import_modules = [
        "dask_jobqueue",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "0.9.0",
        sha256="253dfc4f0b8722201a08e05b841859dfeea1f6698ff21eff0d9370e5aa8ae20f",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-dask")
        depends_on("py-distributed")
