"""Differences between two stacks or locks of either builder, with their causes.

``documents`` opens one and chooses the comparison; ``stacks``, ``wheel_locks`` and
``fiducial.stack.spack.lock_diff`` compare two of a kind, ``versions`` any two;
``record`` writes the answer as docs/formats/diff.md describes it.
"""

from fiducial.stack.diff.changes import Comparison, FileChange, PackageChange
from fiducial.stack.diff.stacks import diff

__all__ = ["Comparison", "FileChange", "PackageChange", "diff"]
