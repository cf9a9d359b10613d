"""The modulefile of a stack: what its ``setup.sh`` sets, for Environment Modules and Lmod.

One file in Tcl, which both systems read, made from the same facts as the setup scripts and
relocatable like them. Modules of single packages are Spack's business
(environments/common/modules.yaml); a stack is one module.
"""

from __future__ import annotations

FOLDER = "share/modulefiles"
MODULE = "fiducial"


def modulefile_path(stack: str) -> str:
    """Where the modulefile lies below the prefix: ``module use PREFIX/share/modulefiles``."""
    return f"{FOLDER}/{MODULE}/{stack}"
