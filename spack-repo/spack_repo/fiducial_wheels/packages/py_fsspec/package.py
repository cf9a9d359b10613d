# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFsspec(PythonPackage):
    """File-system specification. (Binary wheel.)"""

    pypi = "fsspec/fsspec-2026.9.0-py3-none-any.whl"

    import_modules = [
        "fsspec",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "2026.9.0",
        sha256="8dd6e646e99ea382bd85f97a45e6b526a442d79423a7dc673f1e2756d05fcb5f",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
