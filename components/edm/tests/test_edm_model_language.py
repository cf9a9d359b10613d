"""The model language: grammar, parser and validator on small models, right and wrong."""

from __future__ import annotations

import pytest

from fiducial.core.errors import Mistakes
from fiducial.edm.definition.grammar import parse_member, parse_type
from fiducial.edm.definition.layout import Layout
from fiducial.edm.definition.load import read_models
from fiducial.edm.definition.model import Member, TypeName

GOOD = """
schema_version: 3
options: {getSyntax: true}
components:
  my::Point:
    Members:
      - double x [mm] // across
      - double y [mm]
  my::Cov:
    Members:
      - std::array<float, 3> values
  my::State:
    Members:
      - int32_t location
      - my::Point place
      - my::Cov cov
datatypes:
  my::Hit:
    Description: a hit
    Author: A
    Members:
      - uint64_t cellID // cell
      - my::Point at [mm] // place
      - my::Cov cov // covariance
      - int16_t quality {-3} // quality
    VectorMembers:
      - float samples // samples
      - my::State states // states
    OneToOneRelations:
      - my::Hit next // the next one
    OneToManyRelations:
      - my::AnyHit others // others
    ExtraCode:
      declaration: "int f() { return 1; }"
interfaces:
  my::AnyHit:
    Description: any hit
    Author: A
    Members: [uint64_t cellID // cell]
    Types: [my::Hit]
links:
  my::HitLink:
    Description: two hits
    Author: A
    From: my::Hit
    To: my::AnyHit
"""


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read_models({"m.yaml": text})
    return [str(mistake) for mistake in caught.value.mistakes]


def datatype(*members: str, **lists: list[str]) -> str:
    """A model with one datatype ``my::T`` of these members, the first in line 7."""
    lines = ["schema_version: 1", "datatypes:", "  my::T:", "    Description: t", "    Author: a"]
    for key, items in {"Members": list(members), **lists}.items():
        lines += [f"    {key}:", *(f"      - {item}" for item in items)] if items else []
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("float x", Member(TypeName("float"), "x")),
        ("std::int32_t helicity{9} // h", Member(TypeName("int32_t"), "helicity", None, "9", "h")),
        ("float charge[e] // q", Member(TypeName("float"), "charge", "e", None, "q")),
        ("double m {1.5} [GeV]", Member(TypeName("double"), "m", "GeV", "1.5")),
        ("double m [GeV^2] {1.5}//d", Member(TypeName("double"), "m", "GeV^2", "1.5", "d")),
        ("std::array<float, 10> c // c", Member(TypeName("float", 10), "c", None, None, "c")),
        ("std::array< std::int16_t,2 > c", Member(TypeName("int16_t", 2), "c")),
        ("std::array<int, 2> ids", Member(TypeName("int32_t", 2), "ids")),
        ("unsigned int n", Member(TypeName("uint32_t"), "n")),
        (
            "edm4hep::Vector3d  p   // a // b",
            Member(TypeName("edm4hep::Vector3d"), "p", None, None, "a // b"),
        ),
    ],
)
def test_a_member_is_read_as_podio_writes_it(text: str, member: Member) -> None:
    assert parse_member(text) == member


@pytest.mark.parametrize(
    "text",
    ["float", "", "float 9x", "float x y", "float x [GeV", "float x {1} {2}", "float x [a] [b]",
     "std::array<float> x", "std::array<float, 0> x", "std::array<std::array<float, 2>, 2> x",
     "std::vector<float> x", "std::string s", "long n", "unsigned long n", "char c", "short s"],
)  # fmt: skip
def test_what_is_no_member_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_member(text)


def test_a_platform_dependent_integer_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="int64_t"):
        parse_type("long")


def test_a_good_model_becomes_columns() -> None:
    hit, link = Layout(read_models({"m.yaml": GOOD})).schemas()
    assert {name: (c.dtype, c.shape, c.default) for name, c in hit.columns.items()} == {
        "cellID": ("uint64", (), 0),
        "at.x": ("float64", (), 0),
        "at.y": ("float64", (), 0),
        "cov": ("float32", (3,), 0),
        "quality": ("int16", (), -3),
    }
    assert hit.columns["cov"].path == ("cov", "values")
    assert [c.name for c in hit.vectors[0].columns] == [""]
    assert [c.name for c in hit.vectors[1].columns] == ["location", "place.x", "place.y", "cov"]
    one, many = hit.relations
    assert (one.many, one.targets, one.collection) == (False, ("my::Hit",), "Hits")
    assert (many.many, many.target, many.targets, many.collection) == (
        True, "my::AnyHit", ("my::Hit",), None,
    )  # fmt: skip
    assert link.is_link and [r.name for r in link.relations] == ["from_", "to"]
    assert [r.label for r in link.relations] == ["from", "to"]
    assert link.columns["weight"].default == 1


def test_all_mistakes_of_a_model_come_at_once_with_line_and_nearest_name() -> None:
    found = mistakes_of(
        datatype("flaot x // x", "double y", "float z // z", OneToManyRelations=["my::U u // u"])
        + "linsk: {}\n"
    )
    assert len(found) == 4
    assert any(
        m.startswith("m.yaml:12: linsk: no key") and "did you mean links?" in m for m in found
    )
    assert any(m.startswith("m.yaml:7: my::T.x: no type 'flaot'") and "float" in m for m in found)
    assert any(m.startswith("m.yaml:8: my::T.y: no description") for m in found)
    assert any(m.startswith("m.yaml:11: my::T.u: no datatype or interface 'my::U'") for m in found)


def component(*members: str) -> str:
    """A model with one component ``my::C``, which is in line 3."""
    return f"schema_version: 1\ncomponents:\n  my::C: {{Members: [{', '.join(members)}]}}\n"


WRONG = [
    ("schema_version: 0\n", "m.yaml:1: schema_version: 0 is not a whole number"),
    ("components: {}\n", "schema_version is missing"),
    ("- a\n", "expected a mapping"),
    ("schema_version: 1\ndatatypes: [a]\n", "m.yaml:2: datatypes: expected a mapping"),
    ("schema_version: 1\nschema_version: 1\n", "m.yaml:2: schema_version: the key is given twice"),
    (datatype("float x // x", "float x // y"), "m.yaml:8: my::T.x: named twice, first in line 7"),
    (datatype("float class // c"), "m.yaml:7: my::T.class: a Python keyword"),
    (datatype("float columns // c"), "every collection has an attribute of this name"),
    (datatype("float parents_begin // c"), "names of files"),
    (datatype("int8_t n {200} // n"), "'200' is no default for int8_t"),
    (datatype("int32_t n {x} // n"), "'x' is no default"),
    (datatype("std::array<float, 2> a {1} // a"), "only a scalar can have a default"),
    (datatype("my::T t // t"), "a datatype is reached by a relation"),
    (datatype("float: x"), "expected text"),
    (
        datatype(OneToOneRelations=["my::T t [mm] // t"]),
        "a relation has no length, default or unit",
    ),
    (component(), "m.yaml:3: my::C: has no members"),
    (component("my::C c"), "m.yaml:3: my::C: contains itself"),
    (component("my::D d") + "  my::D: {Members: [my::C c]}", "m.yaml:4: my::D: contains itself"),
    (component("float x").replace("my::C", "Thing"), "namespace::Name"),
    (component("float x") + "  a::C: {Members: [float x]}", "m.yaml:4: a::C: C is defined before"),
    (GOOD.replace("From: my::Hit", "From: my::Hti"), "my::HitLink: no datatype or interface"),
    (GOOD.replace("[uint64_t cellID", "[uint32_t cellID"), "has it as uint64_t, not uint32_t"),
    (GOOD.replace("[uint64_t cellID", "[uint64_t cell"), "my::Hit has no such member"),
    (GOOD.replace("Types: [my::Hit]", "Types: []"), "at least one type"),
    (GOOD.replace("Types: [my::Hit]", "Types: [my::Point]"), "no datatype 'my::Point'"),
    (GOOD.replace("    Description: a hit\n", ""), "my::Hit: Description is missing"),
]


@pytest.mark.parametrize(("text", "part"), WRONG, ids=[part for _, part in WRONG])
def test_a_mistake_is_told_where_it_is(text: str, part: str) -> None:
    assert any(part in mistake for mistake in mistakes_of(text)), mistakes_of(text)


def test_text_that_is_not_yaml_is_refused_with_its_line() -> None:
    assert mistakes_of("schema_version: 1\n  x: [\n")[0].startswith("m.yaml:2")


def test_a_model_may_use_the_types_of_another() -> None:
    base = read_models({"m.yaml": GOOD})
    text = datatype("my::Point p // p", OneToManyRelations=["my::AnyHit hits // hits"])
    (own,) = read_models({"own.yaml": text}, base)
    schema = Layout((*base, own)).schema(own.datatypes[0], 1)
    assert list(schema.columns) == ["p.x", "p.y"]
    assert schema.relations[0].targets == ("my::Hit",)
