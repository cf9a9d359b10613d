# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyGraphviz(PythonPackage):
    """Simple Python interface for Graphviz. (Binary wheel.)"""

    pypi = "graphviz/graphviz-0.21-py3-none-any.whl"

    import_modules = [
        "graphviz",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.21",
        sha256="54f33de9f4f911d7e84e4191749cac8cc5653f815b06738c54db9a15ab8b1e42",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
