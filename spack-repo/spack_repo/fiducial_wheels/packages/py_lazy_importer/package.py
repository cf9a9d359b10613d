# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyLazyImporter(PythonPackage):
    """A context manager for portable, opt-in lazy imports. (Binary wheel.)"""

    pypi = "lazy-importer/lazy_importer-0.1.0-py3-none-any.whl"

    import_modules = [
        "lazy_importer",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "0.1.0",
        sha256="bd93fab7bef18e842eea02b839410954d37889140dc64ca4d9680aec6880c739",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
