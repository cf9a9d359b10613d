# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPartd(PythonPackage):
    """Appendable key-value storage. (Binary wheel.)"""

    pypi = "partd/partd-1.4.2-py3-none-any.whl"

    import_modules = [
        "partd",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.4.2",
        sha256="978e4ac767ec4ba5b86c6eaa52e5a2a3bc748a2ca839e8cc798f1cc6ce6efb0f",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-locket")
        depends_on("py-toolz")
