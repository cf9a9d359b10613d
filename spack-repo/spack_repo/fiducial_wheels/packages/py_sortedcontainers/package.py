# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PySortedcontainers(PythonPackage):
    """Sorted Containers -- Sorted List, Sorted Dict, Sorted Set. (Binary wheel.)"""

    pypi = "sortedcontainers/sortedcontainers-2.4.0-py2.py3-none-any.whl"

    import_modules = [
        "sortedcontainers",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "2.4.0",
        sha256="a163dcaede0f1c021485e957a39245190e74249897e2ae4b2aa38595db237ee0",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
