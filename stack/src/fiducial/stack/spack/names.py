"""Names: of a Python distribution in Spack, of a recipe's folder, of its class."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name


def spack_name(distribution: str) -> str:
    """The Spack package of a Python distribution: ``py-`` and the canonical name."""
    return f"py-{canonicalize_name(distribution)}"


def folder_name(package: str) -> str:
    """The folder of a recipe (package API v2): an identifier."""
    name = package.replace("-", "_")
    return f"_{name}" if name[0].isdigit() else name


def class_name(package: str) -> str:
    """The class of a recipe: ``py-fiducial-edm`` gives ``PyFiducialEdm``."""
    joined = "".join(word.capitalize() for word in re.split(r"[-_.]", package))
    return f"_{joined}" if joined[0].isdigit() else joined
