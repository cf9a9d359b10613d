"""What a changed interface breaks: signatures against Python's own binding, names, the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fiducial.stack.overlay.interface import compare_names
from fiducial.stack.overlay.schema import compare_schemas
from fiducial.stack.overlay.signature import Parameter, misfit
from fiducial.stack.overlay.usage import Call, Text, Use, uses_of

ORDER = ["positional", "both", "*", "keyword", "**"]
names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@st.composite
def signatures(draw: st.DrawFn) -> tuple[Parameter, ...]:
    """A signature that Python accepts."""
    kinds = sorted((draw(st.sampled_from(ORDER)) for _ in draw(names)), key=ORDER.index)
    letters = draw(st.permutations("abcdef"))
    found: list[Parameter] = []
    optional = False
    for kind, name in zip(kinds, letters, strict=False):
        if kind in ("*", "**") and any(parameter.kind == kind for parameter in found):
            continue
        required = draw(st.booleans()) and kind not in ("*", "**")
        if kind in ("positional", "both"):
            optional = optional or not required
            required = required and not optional
        found.append(Parameter(name, kind, required))
    return tuple(found)


calls = st.builds(Call, st.integers(0, 4), st.frozensets(st.sampled_from("abcdef")), st.just(False))


def binds(call: Call, signature: tuple[Parameter, ...]) -> bool:
    """Whether Python takes the call (asked of a function: inspect's bind is stricter in 3.11)."""
    rows, last = [], ""
    for parameter in signature:
        if last == "positional" and parameter.kind != "positional":
            rows.append("/")
        if parameter.kind == "keyword" and last not in ("keyword", "*"):
            rows.append("*")
        star = parameter.kind if parameter.kind in ("*", "**") else ""
        default = "" if parameter.required or star else "=0"
        rows.append(f"{star}{parameter.name}{default}")
        last = parameter.kind
    if last == "positional":
        rows.append("/")
    names: dict[str, Any] = {}
    exec(f"def function({', '.join(rows)}): pass", names)
    try:
        names["function"](*range(call.positional), **dict.fromkeys(call.keywords, 0))
    except TypeError:
        return False
    return True


@example(
    Call(0, frozenset("a"), False),
    (Parameter("a", "positional", True), Parameter("b", "**", False)),
    (),
)
@given(calls, signatures(), signatures())
def test_a_call_is_judged_as_python_binds_it(call, old, new) -> None:  # type: ignore[no-untyped-def]
    why = misfit(call, old, new)
    if not binds(call, old):
        assert why is None
    elif not binds(call, new):
        assert why is not None


@given(calls, signatures())
def test_a_call_fits_what_did_not_change(call, signature) -> None:  # type: ignore[no-untyped-def]
    assert misfit(call, signature, signature) is None


def test_a_positional_argument_that_reaches_another_parameter_is_told() -> None:
    old = (Parameter("a", "both", True), Parameter("b", "both", True))
    assert misfit(Call(2, frozenset(), False), old, old[::-1]) == "argument 1 was 'a' and is 'b'"
    renamed = (Parameter("x", "both", True), Parameter("b", "both", True))
    assert misfit(Call(2, frozenset(), False), old, renamed) is None
    assert misfit(Call(1, frozenset("b"), False), old, old[::-1]) is not None


def write(root: Path, files: dict[str, str]) -> dict[str, Path]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return {name: root / name for name in files}


OLD = """
from fiducial.alpha.deep import Base
__all__ = ["Thing", "scale", "NUMBER", "Base", "field", "Shape"]
NUMBER = 3
def scale(value, factor=2, *, offset=0):
    return value * factor + offset
def _private(a):
    return a
class Thing(Base):
    size = 1
    def __init__(self, name, size=1):
        self.name = name
    def grow(self, by):
        return by
    @classmethod
    def make(cls, name):
        return cls(name)
    @staticmethod
    def plain(a):
        return a
from dataclasses import dataclass
@dataclass
class Shape:
    x: float
    y: float = 0
class field:
    low: int
    high: int
"""
DEEP = "class Base:\n    def keep(self, names): ...\n    def shrink(self): ...\n"
USER = """
import fiducial.alpha as a
from fiducial.alpha import Thing as T, scale, NUMBER
from fiducial.alpha import _private, Shape, field
from fiducial.alpha.deep import Base
def work(thing: T):
    scale(1, 2)
    a.scale(1, factor=3, offset=1)
    T("x", size=2).grow(3)
    T.make("x")
    T.plain(1)
    thing.keep(["a"])
    map(scale, [1])
    _private(1)
    Shape(1.0, y=2.0)
    field(low=1)
    return NUMBER, thing.size
"""


def compared(tmp_path: Path, new: str, deep: str = DEEP, user: str = USER) -> dict[str, list[int]]:
    """The broken names with the lines of the user's file."""
    files = {"fiducial/alpha/__init__.py": OLD, "fiducial/alpha/deep.py": DEEP}
    old = write(tmp_path / "old", files)
    files = {"fiducial/alpha/__init__.py": new, "fiducial/alpha/deep.py": deep}
    if not deep:
        del files["fiducial/alpha/deep.py"]
    after = write(tmp_path / "new", files)
    path = write(tmp_path, {"user.py": user})["user.py"]
    uses, _ = uses_of(["fiducial.alpha"], "beta", path)
    found = list(compare_names("alpha", ["fiducial.alpha"], old, after, uses))
    assert all(bool(finding.places) == finding.broken for finding in found)
    return {f.name: [place.line for place in f.places] for f in found if f.broken}


A = "fiducial.alpha."


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("NUMBER = 3", "NUMBER = 4", {}),
        ("factor=2", "factor=5", {}),
        ("NUMBER = 3", "", {A + "NUMBER": [3, 17]}),
        ("factor=2, *, offset=0)", "factor=2)", {A + "scale": [8]}),
        ("factor=2, *, offset=0)", "factor=2, offset=0)", {}),
        ("def scale(value, factor=2,", "def scale(value, power, factor=2,", {A + "scale": [7, 8]}),
        ("def scale(value, factor=2, *", "def scale(value, *, factor=2", {A + "scale": [7]}),
        ("def scale", "def rescale", {A + "scale": [3, 7, 8, 13]}),
        ("def _private(a)", "def _private(a, b)", {A + "_private": [14]}),
        ("def _private(a)", "def _hidden(a)", {A + "_private": [4, 14]}),
        ("def grow(self, by)", "def grow(self, by, to)", {A + "Thing.grow": [9]}),
        ("def grow(self, by)", "def grow(self, by, to=1)", {}),
        ("def grow(self, by)", "def raised(self, by)", {A + "Thing.grow": [9]}),
        ("def make(cls, name)", "def make(cls, name, kind)", {A + "Thing.make": [10]}),
        ("def make(cls, name)", "def made(cls, name)", {A + "Thing.make": [10]}),
        ("def plain(a)", "def plain(a, b)", {A + "Thing.plain": [11]}),
        ("name, size=1)", "name)", {A + "Thing.__init__": [9]}),
        ("    size = 1\n", "", {A + "Thing.size": [17]}),
        ("    y: float = 0", "    z: float = 0", {A + "Shape.__init__": [15]}),
        ("    low: int\n", "", {A + "field.low": [16]}),
    ],
)  # fmt: skip
def test_only_what_dependents_use_is_broken(
    before: str, after: str, broken: dict[str, list[int]], tmp_path: Path
) -> None:
    assert before in OLD
    found = compared(tmp_path, OLD.replace(before, after))
    assert {name: sorted(set(lines)) for name, lines in found.items() if name in broken} == broken
    assert {name.rpartition(".")[0] for name in found} <= {n.rpartition(".")[0] for n in broken}


def test_nothing_is_broken_where_nothing_changed(tmp_path: Path) -> None:
    assert compared(tmp_path, OLD) == {}


def test_an_inherited_member_is_told_once_where_it_was_defined(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, DEEP.replace("keep", "hold"))
    assert found == {A + "deep.Base.keep": [12]}
    assert compared(tmp_path, OLD, DEEP.replace("shrink", "shrunk")) == {}  # nobody uses it


def test_a_module_that_is_gone_is_told(tmp_path: Path) -> None:
    new = OLD.replace(
        "from fiducial.alpha.deep import Base", "class Base:\n    def keep(self, names): ..."
    )
    assert compared(tmp_path, new, "") == {A + "deep": [5]}
    moved = OLD.replace("from fiducial.alpha.deep import Base", "from fiducial.core import Base")
    assert A + "deep" in compared(tmp_path, moved, "")


def test_a_name_that_moved_and_is_still_offered_breaks_nothing(tmp_path: Path) -> None:
    start = OLD.index("def scale"), OLD.index("def _private")
    new = OLD[: start[0]] + "from fiducial.alpha.deep import scale\n" + OLD[start[1] :]
    assert compared(tmp_path, new, DEEP + OLD[start[0] : start[1]]) == {}


def test_a_file_that_imports_nothing_of_it_uses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, {"user.py": "def f(x):\n    return x.keep(1)\n"})["user.py"]
    assert uses_of(["fiducial.alpha"], "beta", path) == ([], [])


MODEL = """
schema_version: 1
components:
  my::Axis:
    Members: [float theta, float phi]
datatypes:
  my::Jet:
    Members:
      - float energy [GeV] // energy
      - int32_t flavour {-1} // code
      - std::array<float, 3> weights // weights
    OneToManyRelations:
      - my::Hit hits // its hits
links:
  my::JetHitLink: {From: my::Jet, To: my::Hit}
"""


@pytest.mark.parametrize(
    ("before", "after", "name", "broken"),
    [
        ("float energy", "double energy", "my::Jet.energy", True),
        ("[GeV]", "[MeV]", "my::Jet.energy", True),
        ("{-1}", "{0}", None, False),
        ("// energy", "// total energy", None, False),
        ("float, 3>", "float, 4>", "my::Jet.weights", True),
        ("      - int32_t flavour {-1} // code\n", "", "my::Jet.flavour", True),
        ("my::Hit hits", "my::Cell hits", "my::Jet.hits", True),
        ("OneToManyRelations", "OneToOneRelations", "my::Jet.hits", True),
        ("To: my::Hit", "To: my::Cell", "my::JetHitLink.to", True),
        ("float phi]", "float phi, float eta]", "my::Axis.eta", False),
        ("  my::Axis:", "  my::Line:", "my::Axis", True),
    ],
)
def test_what_files_depend_on_is_broken(
    before: str, after: str, name: str | None, broken: bool, tmp_path: Path
) -> None:
    assert before in MODEL
    old = write(tmp_path / "old", {"model.yaml": MODEL, "other.yaml": "a: 1\n"})
    new = write(tmp_path / "new", {"model.yaml": MODEL.replace(before, after)})
    jet = tmp_path / "io.py"
    uses = [
        Use("energy", "io", jet, 3, member=True),
        Use("fiducial.edm.AxisCollection", "io", jet, 1),
    ]
    found = {
        f.name: f for f in compare_schemas("edm", old, new, uses, [Text("hits", "io", jet, 9)])
    }
    assert (name in found) == (name is not None)
    if name is not None:
        assert found[name].broken == broken
    lines = {place.line for finding in found.values() for place in finding.places}
    expected = {"my::Jet.energy": {3}, "my::Axis": {1}, "my::Jet.hits": {9}}
    assert lines == expected.get(name or "", set())
    assert ("schema_version" in found) == broken
    raised = write(
        tmp_path / "new", {"model.yaml": MODEL.replace(before, after).replace("n: 1", "n: 2")}
    )
    names = {finding.name for finding in compare_schemas("edm", old, raised, [], [])}
    assert "schema_version" not in names
