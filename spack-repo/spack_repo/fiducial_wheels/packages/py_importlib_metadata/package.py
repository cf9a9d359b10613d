# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyImportlibMetadata(PythonPackage):
    """Read metadata from Python packages. (Binary wheel.)"""

    pypi = "importlib-metadata/importlib_metadata-10.2.0-py3-none-any.whl"

    import_modules = [
        "importlib_metadata",
    ]

    license("Apache-2.0", checked_by="fiducial")

    version(
        "10.2.0",
        sha256="c7a4bf1c7479601f6b8e437cfc14f4f77028ba62a8f34ae95cd93d9774dfba51",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-lazy-importer")
        depends_on("py-zipp")
