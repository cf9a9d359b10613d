"""What ``build`` takes for a member: the types of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy.typing as npt

from fiducial.edm.relation import Relation
from fiducial.edm.vector_member import VectorMember
from fiducial.edm.view import View

__all__ = ["ComponentLike", "Counts", "Numbers", "OneToManyLike", "OneToOneLike", "VectorLike"]

#: Whole numbers (n,).
Counts: TypeAlias = npt.ArrayLike

#: One number for all objects, or (n,) or (n, N) of them.
Numbers: TypeAlias = npt.ArrayLike

#: A tuple of the component's columns in order, a mapping of them, a view, or one (n, k) array.
ComponentLike: TypeAlias = tuple[Numbers, ...] | Mapping[str, Numbers] | View | npt.NDArray[Any]

#: (counts, values), where values is a column or, of components, a mapping of columns.
VectorLike: TypeAlias = VectorMember | tuple[Counts, Any]

#: (counts, index) or (counts, index, name of the target's collection).
OneToManyLike: TypeAlias = Relation | tuple[Counts, Numbers] | tuple[Counts, Numbers, Any]

#: index, or (index, name of the target's collection); -1 is unset.
OneToOneLike: TypeAlias = Relation | npt.ArrayLike | tuple[Numbers, Any]
