# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyZict(PythonPackage):
    """Mutable mapping tools. (Binary wheel.)"""

    pypi = "zict/zict-3.0.0-py2.py3-none-any.whl"

    import_modules = [
        "zict",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.0.0",
        sha256="5796e36bd0e0cc8cf0fbc1ace6a68912611c1dbd74750a3f3026b9b9d6a327ae",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
