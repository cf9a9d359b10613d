# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyToolz(PythonPackage):
    """List processing tools and functional utilities. (Binary wheel.)"""

    pypi = "toolz/toolz-1.2.0-py3-none-any.whl"

    import_modules = [
        "tlz",
        "toolz",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "1.2.0",
        sha256="890f820b1cb8152785aaf9386d8707770110809035800985ca65cb24ce1120ef",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
