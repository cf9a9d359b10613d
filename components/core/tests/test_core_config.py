"""Configuration is read exactly, or refused with every mistake, its line and a hint."""

import math
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from fiducial.core import config
from fiducial.core.errors import InputError, Mistake, Mistakes


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gauss(Strict):
    kind: Literal["gauss"]
    sigma: Annotated[float, Field(gt=0)]


class Flat(Strict):
    kind: Literal["flat"]
    width: float = 1.0


class Step(Strict):
    name: str
    use: Literal["pythia8", "gun"]
    settings: dict[str, Any] = Field(default_factory=dict, alias="with")
    shape: Annotated[Gauss | Flat, Field(discriminator="kind")] | None = None


class Chain(Strict):
    chain: str
    seed: int
    steps: list[Step]
    scales: dict[str, int] = {}


GOOD = """\
chain: zh
seed: 20260101
steps:
  - name: generate
    use: pythia8
    with: {PartonLevel:ISR: off, sigma: 1e-3}
  - {name: gun, use: gun, shape: {kind: gauss, sigma: 0.5}}
scales:
  smoke: 1_000
"""


def mistakes_of(text, model=Chain):
    with pytest.raises(Mistakes) as caught:
        config.parse(text, model, "c.yaml")
    return [str(m) for m in caught.value.mistakes]


def test_a_good_file_is_read():
    chain = config.parse(GOOD.replace("1_000", "1000"), Chain)
    assert chain.steps[0].settings == {"PartonLevel:ISR": "off", "sigma": 1e-3}
    assert chain.steps[1].shape == Gauss(kind="gauss", sigma=0.5)
    assert chain.scales == {"smoke": 1000}


def test_all_mistakes_come_at_once_with_line_key_value_and_nearest_name():
    text = """\
chain: x
seeed: 3
steps:
  - name: a
    use: pythia9
    shape: {kind: gauss, sigma: -1, sigm: 2}
  - {name: b, usee: gun}
  - name: c
    use: gun
    shape: {kind: gaus}
scales: {smoke: many}
"""
    assert mistakes_of(text) == [
        "c.yaml:1: seed: this key is required and missing",
        "c.yaml:2: seeed: unknown key (3): did you mean seed?",
        "c.yaml:5: steps[0].use: not one of the choices ('pythia9'): did you mean pythia8?",
        "c.yaml:6: steps[0].shape.sigma: input should be greater than 0 (-1)",
        "c.yaml:6: steps[0].shape.sigm: unknown key (2): did you mean sigma?",
        "c.yaml:7: steps[1].use: this key is required and missing",
        "c.yaml:7: steps[1].usee: unknown key ('gun'): did you mean use?",
        "c.yaml:10: steps[2].shape.kind: not one of the choices ('gaus'): did you mean gauss?",
        "c.yaml:11: scales.smoke: input should be a valid integer, unable to parse string as an "
        "integer ('many')",
    ]


def test_a_part_is_validated_by_its_own_model_with_the_lines_of_the_file():
    document = config.parse_document(GOOD, "c.yaml")
    with pytest.raises(Mistakes) as caught:
        document.validate(Flat, ("steps", 1, "shape"))
    assert [str(m) for m in caught.value.mistakes] == [
        "c.yaml:7: steps[1].shape.kind: not one of the choices ('gauss'): choose from flat",
        "c.yaml:7: steps[1].shape.sigma: unknown key (0.5): choose from kind, width",
    ]
    mistake = document.mistake(("steps", 0, "use"), "no step", "try")
    assert str(mistake) == "c.yaml:5: steps[0].use: no step: try"


class Custom(Strict):
    a: int
    b: list[int] = []

    @field_validator("a")
    @classmethod
    def small(cls, value):
        if value > 10:
            raise InputError("a is too big", f"{value} > 10", "use a smaller one")
        if value < 0:
            raise ValueError("a must not be negative")
        return value

    @field_validator("b")
    @classmethod
    def several(cls, value):
        bad = [Mistake(f"[{i}]", f"{v} is odd") for i, v in enumerate(value) if v % 2]
        if bad:
            raise Mistakes(bad)
        return value


def test_errors_of_a_models_own_checks_keep_their_parts():
    assert mistakes_of("a: 11", Custom) == [
        "c.yaml:1: a: a is too big (11 > 10): use a smaller one"
    ]
    assert mistakes_of("a: -1", Custom) == ["c.yaml:1: a: a must not be negative (-1)"]
    assert mistakes_of("a: 1\nb: [2, 3, 5]", Custom) == [
        "c.yaml:2: b: [1]: 3 is odd",
        "c.yaml:2: b: [2]: 5 is odd",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "c.yaml: the file is empty: expected keys and values"),
        ("# nothing", "c.yaml: the file is empty: expected keys and values"),
        ("- 1", "c.yaml:1: expected keys and values, found a list"),
        ("a: 1\nb: {c: 1,\n c: 2}", "c.yaml:3: b.c: the key is given twice, first in line 2"),
        ("a: 1\n<<: {b: 1}", "c.yaml:2: merge keys (<<) are not supported: write the keys out"),
        ("a: 1\n? [1]\n: 2", "c.yaml:2: a key must be text"),
        ("a:\n  b: !!python/object:os.system x",
         "c.yaml:2: a.b: the tag tag:yaml.org,2002:python/object:os.system is not supported: "
         "remove it"),
        ("a:\n\t- b", "c.yaml:2: not valid YAML (while scanning for the next token, found "
         "character that cannot start any token, column 1): indent with spaces, not tabs"),
        ("a: b: c", "c.yaml:1: not valid YAML (mapping values are not allowed in this context, "
         "column 5): check the indentation, and quote a text that holds ': '"),
        ("a: &x [*x]", "c.yaml:1: a[0]: an alias refers to what encloses it"),
        ("a: " + "[" * 60_000, "c.yaml:1: nested more than 100 deep"),
        ("a: !!int x", "c.yaml:1: a: 'x' is not a valid int"),
    ],
)  # fmt: skip
def test_what_is_not_plain_data_is_refused_with_its_line(text, mistake):
    assert mistakes_of(text) == [mistake]


def test_a_bomb_of_aliases_is_refused():
    levels = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    for k in range(1, 9):
        levels.append(f"a{k}: &a{k} [{','.join([f'*a{k - 1}'] * 10)}]")
    assert mistakes_of("\n".join(levels)) == ["c.yaml: more than 1000000 values"]


def test_numbers_and_words_are_those_of_yaml_1_2():
    text = "{a: 1e-3, b: on, c: 2026-01-01, d: 0o17, e: -.inf, f: 12:30, g: , h: 017, i: 0x1F, " \
           "j: True, k: .5, l: '1', m: 5., n: yes}"  # fmt: skip
    assert config.parse_document(text).data == {
        "a": 1e-3, "b": "on", "c": "2026-01-01", "d": 15, "e": -math.inf, "f": "12:30", "g": None,
        "h": 17, "i": 31, "j": True, "k": 0.5, "l": "1", "m": 5.0, "n": "yes",
    }  # fmt: skip
    assert math.isnan(config.parse_document("a: .nan").data["a"])


def test_aliases_give_the_same_value_again():
    assert config.parse_document("a: &x {b: 1}\nc: *x").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_unreadable_file_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        config.load(tmp_path / "none.yaml", Chain)
    with pytest.raises(InputError, match="is a directory"):
        config.load(tmp_path, Chain)
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match="not a text file"):
        config.load(tmp_path / "binary.yaml", Chain)


def test_plain_data_is_validated_with_the_same_messages():
    with pytest.raises(Mistakes, match=r"cmdline: sigm: unknown key \(1\): did you mean sigma"):
        config.validate({"kind": "gauss", "sigm": 1}, Gauss, "cmdline")


class Anything(Strict):
    texts: list[str]
    numbers: list[float]
    flags: list[bool]
    table: dict[str, int]


@given(
    st.builds(
        Anything,
        texts=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=5),
        numbers=st.lists(st.floats(allow_nan=False), max_size=5),
        flags=st.lists(st.booleans(), max_size=3),
        table=st.dictionaries(st.text("abc<:-#'\"0123 ", min_size=1), st.integers(), max_size=4),
    )
)
def test_what_is_written_is_read_back(model):
    assert config.parse(config.to_yaml(model), Anything) == model


@pytest.mark.parametrize(
    "word", ["0o17", "on", "1e5", "", "null", "12:30", "2026-01-01", "<<", "~"]
)
def test_words_that_look_like_other_types_are_quoted(word):
    model = Anything(texts=[word], numbers=[], flags=[], table={word: 1})
    assert config.parse(config.to_yaml(model), Anything) == model
