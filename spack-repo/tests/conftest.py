"""Tests with the mark ``spack`` run real Spack, and are skipped, with the reason, without one.

The helper module ``spack_site`` (a host with Spack and a copy of the checkout) can be imported by
every test of this folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from spack_site import PYTHON, SPACK

    here = Path(__file__).parent
    reasons = []
    if SPACK is None:
        reasons.append("no Spack here: put spack on PATH, or set SPACK_ROOT")
    if not (PYTHON / "python3.11").is_file():
        reasons.append("the recipes are for CPython 3.11")
    for item in items:
        if reasons and here in item.path.parents and item.get_closest_marker("spack"):
            item.add_marker(pytest.mark.skip(reason="; ".join(reasons)))
