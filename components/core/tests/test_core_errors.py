"""Errors keep their facts, their exit code and their text, also through pickle."""

import pickle

import pytest

from fiducial.core.errors import (
    EnvironmentProblem,
    FiducialError,
    InputError,
    InternalError,
    MissingExtra,
    Mistake,
    Mistakes,
    NegativeAnswer,
    did_you_mean,
    nearest,
)

ERRORS = [
    (NegativeAnswer("no", "because", "try"), 1, FiducialError),
    (InputError("bad", "because", "try"), 2, ValueError),
    (EnvironmentProblem("full", "no space", "free some"), 3, OSError),
    (MissingExtra("numba-cuda", "fiducial-core", "cuda"), 3, ImportError),
    (InternalError("bug"), 4, FiducialError),
    (Mistakes([Mistake("a.yaml:1: x", "bad"), Mistake("a.yaml:2: y", "worse", "try")], "a.yaml"),
     2, ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "builtin"), ERRORS)
def test_each_error_has_its_exit_code_and_is_the_builtin_that_callers_catch(error, code, builtin):
    assert error.exit_code == code
    assert isinstance(error, builtin)
    assert isinstance(error, FiducialError)


@pytest.mark.parametrize(("error", "code", "builtin"), ERRORS)
def test_errors_survive_the_way_back_from_a_worker(error, code, builtin):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert (copy.problem, copy.why, copy.hint) == (error.problem, error.why, error.hint)


def test_an_error_reads_problem_why_hint():
    assert str(InputError("no readout X", "the file has Y", "use Y")) == (
        "no readout X (the file has Y): use Y"
    )
    assert str(InputError("no readout X")) == "no readout X"


def test_a_missing_extra_names_the_extra_to_install():
    assert "pip install 'fiducial-core[cuda]'" in str(
        MissingExtra("numba-cuda", "fiducial-core", "cuda")
    )


def test_all_mistakes_stand_in_the_text_one_a_line():
    error = Mistakes([Mistake("f:1: a", "bad", "x"), Mistake("f:2: b", "worse")], "f")
    assert str(error).splitlines() == ["2 mistakes in f:", "f:1: a: bad: x", "f:2: b: worse"]
    assert len(error) == 2
    assert str(Mistakes([Mistake("f:1: a", "bad")], "f")) == "f:1: a: bad"


def test_mistakes_without_a_mistake_are_a_bug():
    with pytest.raises(InternalError):
        Mistakes([])


@pytest.mark.parametrize(
    ("name", "choices", "best"),
    [
        ("VertexBarel", ["ECalBarrel", "VertexBarrel"], "VertexBarrel"),
        ("PYTHIA", ["gun", "pythia8"], "pythia8"),
        ("muon", ["electron_gun", "muon_gun"], "muon_gun"),
    ],
)
def test_the_nearest_name_comes_first(name, choices, best):
    assert nearest(name, choices)[0] == best


def test_nothing_near_gives_nothing():
    assert nearest("xyzzy", ["gun", "pythia8"]) == []
    assert nearest("x", []) == []


def test_the_hint_lists_all_choices_where_none_is_near():
    assert did_you_mean("xyzzy", ["gun", "read"]) == "choose from gun, read"
    assert did_you_mean("gum", ["gun", "read"]) == "did you mean gun?"
    assert "and 8 more" in did_you_mean("!", [f"name{k}" for k in range(20)])
    assert did_you_mean("x", []) == "there is none to choose from"
