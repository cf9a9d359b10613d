# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCloudpickle(PythonPackage):
    """Pickler class to extend the standard pickle.Pickler functionality. (Binary wheel.)"""

    pypi = "cloudpickle/cloudpickle-3.1.2-py3-none-any.whl"

    import_modules = [
        "cloudpickle",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.1.2",
        sha256="9acb47f6afd73f60dc1df93bb801b472f05ff42fa6c84167d25cb206be1fbf4a",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
