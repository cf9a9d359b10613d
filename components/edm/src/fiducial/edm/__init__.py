"""EDM4hep event data model as columnar batches of events.

An :class:`EventBatch` holds many events: per collection one contiguous column a member,
plus offsets; relations are columns of indices. Collections are generated from the model's
YAML (``model/``) into ``generated/``; what they can do is written by hand in ``behaviours/``.
"""

from fiducial.edm.batch import EventBatch, UnknownCollection
from fiducial.edm.collection import Collection
from fiducial.edm.content import ContentHasher, content_hash
from fiducial.edm.generated import *  # noqa: F403
from fiducial.edm.generated import __all__ as _generated
from fiducial.edm.identifiers import collection_id
from fiducial.edm.kinematics import FourVectors
from fiducial.edm.relation import Relation
from fiducial.edm.vector_member import VectorMember

__all__ = [
    "Collection",
    "ContentHasher",
    "EventBatch",
    "FourVectors",
    "Relation",
    "UnknownCollection",
    "VectorMember",
    "collection_id",
    "content_hash",
    *_generated,
]
