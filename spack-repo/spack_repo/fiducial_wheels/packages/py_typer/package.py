# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTyper(PythonPackage):
    """Typer, build great CLIs. Easy to code. Based on Python type hints. (Binary wheel.)"""

    pypi = "typer/typer-0.29.2-py3-none-any.whl"

    import_modules = [
        "typer",
    ]

    license("MIT", checked_by="fiducial")

    version(
        "0.29.2",
        sha256="f30731f8ca758368b836b3714872e58e395cef8fcaff918c853b1969ed5274e7",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-annotated-doc")
        depends_on("py-pydantic")
        depends_on("py-rich")
        depends_on("py-shellingham")
