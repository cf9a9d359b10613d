# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyDask(PythonPackage):
    """Parallel PyData with Task Scheduling. (Binary wheel.)"""

    pypi = "dask/dask-2026.8.0-py3-none-any.whl"

    import_modules = [
        "dask",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2026.8.0",
        sha256="ccc0c83a189b0398602435189771d28dad7b5773b6089bb8dce14ae732dd782c",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-click")
        depends_on("py-cloudpickle")
        depends_on("py-fsspec")
        depends_on("py-importlib-metadata")
        depends_on("py-packaging")
        depends_on("py-partd")
        depends_on("py-pyyaml")
        depends_on("py-toolz")
