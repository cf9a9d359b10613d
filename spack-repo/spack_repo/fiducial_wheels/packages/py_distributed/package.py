# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyDistributed(PythonPackage):
    """Distributed scheduler for Dask. (Binary wheel.)"""

    pypi = "distributed/distributed-2026.8.0-py3-none-any.whl"

    import_modules = [
        "distributed",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2026.8.0",
        sha256="3bd8882861a2cf497453f28c6b61135fa8ef2bb1d6885ad3b9f27e887e9c0e01",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-click")
        depends_on("py-cloudpickle")
        depends_on("py-dask")
        depends_on("py-jinja2")
        depends_on("py-locket")
        depends_on("py-msgpack")
        depends_on("py-packaging")
        depends_on("py-psutil")
        depends_on("py-pyyaml")
        depends_on("py-sortedcontainers")
        depends_on("py-tblib")
        depends_on("py-toolz")
        depends_on("py-tornado")
        depends_on("py-zict")
