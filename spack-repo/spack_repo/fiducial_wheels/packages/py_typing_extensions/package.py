# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTypingExtensions(PythonPackage):
    """Backported and Experimental Type Hints for Python 3.9+. (Binary wheel.)"""

    pypi = "typing-extensions/typing_extensions-4.16.0-py3-none-any.whl"

    import_modules = [
        "typing_extensions",
    ]

    license("PSF-2.0", checked_by="fiducial")

    version(
        "4.16.0",
        sha256="481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
