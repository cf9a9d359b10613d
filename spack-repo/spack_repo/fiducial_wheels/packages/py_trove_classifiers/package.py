# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTroveClassifiers(PythonPackage):
    """Canonical source for classifiers on PyPI. (Binary wheel.)"""

    pypi = "trove-classifiers/trove_classifiers-2026.9.21.13-py3-none-any.whl"

    import_modules = [
        "trove_classifiers",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "2026.9.21.13",
        sha256="8b1ff4f9c191b1040b71c37f1e445ab99732911e3cd91de52838453a854d7a17",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
