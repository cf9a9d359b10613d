"""A datatype as columns: components are opened up, until only scalars and fixed arrays are left.

A component that holds nothing but one fixed array (the covariances) is folded into one
column of that width: ``covMatrix`` (n, 10) instead of ``covMatrix.values``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fiducial.edm.definition.grammar import SCALARS
from fiducial.edm.definition.model import Component, Datatype, Link, Member, Model
from fiducial.edm.definition.validate import default_value
from fiducial.edm.schema import ColumnSpec, MemberSpec, RelationSpec, TypeSchema, VectorSpec

__all__ = ["Layout", "customary_name", "python_name"]

#: Customary names that do not follow the rule: type name + "s".
_CUSTOMARY = {
    "edm4hep::EventHeader": "EventHeader",
    "edm4hep::Vertex": "Vertices",
    "edm4hep::RawTimeSeries": "RawTimeSeries",
    "edm4hep::TimeSeries": "TimeSeries",
    "edm4hep::GeneratorEventParameters": "GeneratorEventParameters",
    "edm4hep::RecoMCParticleLink": "RecoMCLinks",
    "fiducial::GeneratorTrials": "GeneratorTrials",
}


def customary_name(type_name: str) -> str:
    """The name that a collection of this type bears where nobody chose another."""
    return _CUSTOMARY.get(type_name, type_name.partition("::")[2] + "s")


def python_name(label: str) -> str:
    """``from`` is a keyword of Python, and becomes ``from_``."""
    return "from_" if label == "from" else label


class Layout:
    """The columns of the types of several validated models."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = tuple(models)
        self.components: dict[str, Component] = {c.name: c for m in models for c in m.components}
        self.interfaces = {i.name: i for m in models for i in m.interfaces}

    def folded(self, component: Component) -> bool:
        """Whether the component is one fixed array and becomes one column."""
        return len(component.members) == 1 and component.members[0].type.length is not None

    def columns(self, member: Member, prefix: str = "") -> Iterator[ColumnSpec]:
        name = prefix + member.name
        component = self.components.get(member.type.name)
        if component is None:
            dtype = SCALARS[member.type.name]
            shape = () if member.type.length is None else (member.type.length,)
            default = 0 if member.default is None else default_value(member.default, dtype)
            yield ColumnSpec(name, dtype, shape, default)
        elif self.folded(component):
            (inner,) = component.members
            assert inner.type.length is not None
            dtype = SCALARS[inner.type.name]
            yield ColumnSpec(name, dtype, (inner.type.length,), 0, inner.name)
        else:
            for inner in component.members:
                yield from self.columns(inner, name + ".")

    def vector_columns(self, member: Member) -> Iterator[ColumnSpec]:
        component = self.components.get(member.type.name)
        if component is None:
            (column,) = self.columns(member)
            yield ColumnSpec("", column.dtype, column.shape, column.default)
        else:
            for inner in component.members:
                yield from self.columns(inner)

    def relation(self, member: Member, many: bool) -> RelationSpec:
        target = member.type.name
        interface = self.interfaces.get(target)
        return RelationSpec(
            python_name(member.name),
            member.name,
            target,
            interface.types if interface else (target,),
            many,
            None if interface else customary_name(target),
            member.description,
        )

    def schema(self, data: Datatype, version: int) -> TypeSchema:
        """The layout of a datatype."""
        return TypeSchema(
            data.name,
            version,
            customary_name(data.name),
            tuple(
                MemberSpec(m.name, str(m.type), tuple(self.columns(m)), m.unit, m.description)
                for m in data.members
            ),
            tuple(
                VectorSpec(
                    m.name, str(m.type), tuple(self.vector_columns(m)), m.unit, m.description
                )
                for m in data.vectors
            ),
            (
                *(self.relation(m, many=False) for m in data.one_to_one),
                *(self.relation(m, many=True) for m in data.one_to_many),
            ),
            data.description,
        )

    def link_schema(self, link: Link, version: int) -> TypeSchema:
        """The layout of a link: a weight and two ends."""
        from fiducial.edm.definition.model import TypeName

        ends = (
            Member(TypeName(link.source), "from", description="object that is linked"),
            Member(TypeName(link.target), "to", description="object that it is linked to"),
        )
        weight = Member(TypeName("float"), "weight", default="1", description="weight of the link")
        return TypeSchema(
            link.name,
            version,
            customary_name(link.name),
            (MemberSpec("weight", "float", tuple(self.columns(weight)), None, weight.description),),
            (),
            tuple(self.relation(end, many=False) for end in ends),
            link.description,
            is_link=True,
        )

    def schemas(self) -> Iterator[TypeSchema]:
        """Of all datatypes, then all links, in the models' order."""
        for model in self.models:
            for data in model.datatypes:
                yield self.schema(data, model.schema_version)
        for model in self.models:
            for link in model.links:
                yield self.link_schema(link, model.schema_version)
