"""An environment may allow a newer C library than the common one, for what has no older wheel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.tags import Tag

from fiducial.stack.environment import load_environment
from fiducial.stack.errors import Mistakes
from fiducial.stack.interpreter import inspect_python
from fiducial.stack.lock import plan_lock
from fiducial.stack.lockfile import LockedPackage, read_lock
from fiducial.stack.wheel_choice import choose_wheels, ranked_tags

from .conftest import MINOR, Toy


def allow(toy: Toy, text: str) -> None:
    toy.edit("environments/common/wheels.yaml", "format: 1\n", 'format: 1\nglibc: "2.17"\n')
    (toy.workspace.environments / "toy" / "wheels.yaml").write_text(text)


def test_a_newer_c_library_moves_no_lock(toy: Toy) -> None:
    allow(toy, 'format: 1\nnewer_glibc: "2.28"\n')
    environment = load_environment(toy.workspace, "toy")
    assert (environment.glibc, environment.newer_glibc) == ("2.17", "2.28")
    assert plan_lock(environment).fresh


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('format: 1\nnewer_glibc: "2.17"\n', "newer_glibc 2.17 is not newer than the common one"),
        ("format: 1\nnewer_glibc: new\n", "newer_glibc 'new' is no version"),
        ("format: 1\nnewer_glib: '2.28'\n", "did you mean newer_glibc"),
        ("newer_glibc: '2.28'\n", "format is None"),
    ],
)
def test_what_is_wrong_with_it_is_named(toy: Toy, text: str, problem: str) -> None:
    allow(toy, text)
    with pytest.raises(Mistakes, match=r"toy/wheels\.yaml"):
        load_environment(toy.workspace, "toy")
    with pytest.raises(Mistakes, match=problem):
        load_environment(toy.workspace, "toy")


def test_only_what_has_nothing_for_the_older_is_taken_for_the_newer(toy: Toy) -> None:
    python = inspect_python("python" + MINOR)
    machine = python.markers["platform_machine"]
    ranks = ranked_tags(python, "2.17", "2.28")
    old, new = (
        Tag(python.cache_tag.replace("cpython-", "cp"), "abi3", f"manylinux_2_{minor}_{machine}")
        for minor in (17, 28)
    )
    if old not in ranks or new not in ranks:
        pytest.skip("this host has no glibc 2.28")
    assert ranks[old] < ranks[new]
    assert new not in ranked_tags(python, "2.17")
    files = {digit * 64: f"some-1.0-{tag}.whl" for digit, tag in (("a", new), ("b", old))}
    lock = read_lock(load_environment(toy.workspace, "toy").lock_path)
    both = replace(lock, packages=(LockedPackage("some", "1.0", "", files),))
    assert choose_wheels(both, python, "2.17", "2.28")[0].sha256 == "b" * 64
    only = replace(lock, packages=(LockedPackage("some", "1.0", "", {"a" * 64: files["a" * 64]}),))
    assert choose_wheels(only, python, "2.17", "2.28")[0].sha256 == "a" * 64
    with pytest.raises(Mistakes, match=r"no wheel for .* with glibc 2\.17"):
        choose_wheels(only, python, "2.17")
