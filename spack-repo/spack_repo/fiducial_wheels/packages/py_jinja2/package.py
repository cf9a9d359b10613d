# Generated from environments/base/wheels.lock by `fiducial recipes sync`. Do not edit.
#
# SPDX-License-Identifier: Apache-2.0

from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyJinja2(PythonPackage):
    """A very fast and expressive template engine. (Binary wheel.)"""

    pypi = "jinja2/jinja2-3.1.6-py3-none-any.whl"

    import_modules = [
        "jinja2",
    ]

    license("BSD-3-Clause", checked_by="fiducial")

    version(
        "3.1.6",
        sha256="85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67",
        expand=False,
    )

    with default_args(type=("build", "run")):
        depends_on("python@3.11:")
        depends_on("py-markupsafe")
