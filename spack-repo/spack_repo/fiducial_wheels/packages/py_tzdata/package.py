# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTzdata(PythonPackage):
    """Provider of IANA time zone data. (Binary wheel.)"""

    pypi = "tzdata/tzdata-2026.6-py2.py3-none-any.whl"

    import_modules = [
        "tzdata",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "2026.6",
        sha256="0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
