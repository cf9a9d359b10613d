"""The diff of two Spack locks finds exactly what moved, and how it reached everything else."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fiducial.stack.spack.lock_diff import Downgrade, LockDiff, diff_locks
from fiducial.stack.spack.lock_graph import read_spack_lock

from .spack_lock_maker import Package, make_lock

DATA = Path(__file__).parent / "data"


@st.composite
def graphs(draw: st.DrawFn, names: int | None = None, largest: int = 14) -> dict[str, Package]:
    """Packages by key; each may need those before it. Names repeat where ``names`` is given."""
    packages: dict[str, Package] = {}
    for number in range(draw(st.integers(1, largest))):
        name = f"p{number if names is None else draw(st.integers(0, names))}"
        others = draw(st.sets(st.sampled_from(sorted(packages)))) if packages else set()
        version = draw(st.sampled_from(["1.0", "1.2", "2.0"]))
        needs: dict[str, tuple[str, ...]] = dict.fromkeys(others, ())
        packages[f"k{number:02}"] = Package(name, version=version, needs=needs)
    return packages


MUTATIONS: dict[str, Callable[[Package], None]] = {
    "version": lambda package: setattr(package, "version", f"3.{package.name[1:]}"),
    "recipe": lambda package: setattr(package, "recipe", "r1"),
    "variant": lambda package: package.variants.update(level=package.name),
    "external": lambda package: setattr(package, "external", f"/opt/{package.name}"),
    "source": lambda package: package.variants.update(dev_path=f"/src/{package.name}"),
}


@st.composite
def mutated(draw: st.DrawFn) -> tuple[dict[str, Package], dict[str, Package], dict[str, str]]:
    """A graph, the same after some packages moved by themselves, and what moved of which."""
    before = draw(graphs())
    after = copy.deepcopy(before)
    keys = draw(st.sets(st.sampled_from(sorted(before)), max_size=4))
    moved = {key: draw(st.sampled_from(sorted(MUTATIONS))) for key in sorted(keys)}
    for key, how in moved.items():
        MUTATIONS[how](after[key])
    return before, after, moved


def distances(packages: dict[str, Package]) -> dict[tuple[str, str], int]:
    """Least number of steps from a package to each that needs it, by relaxing every edge."""
    steps = {(key, key): 0 for key in packages}
    for _ in packages:
        for user, package in packages.items():
            for needed in package.needs:
                for start in packages:
                    if (start, needed) in steps:
                        way = steps[start, needed] + 1
                        steps[start, user] = min(way, steps.get((start, user), way))
    return steps


@given(graphs())
def test_equal_locks_do_not_differ(packages: dict[str, Package]) -> None:
    found = diff_locks(make_lock(packages, packages), make_lock(packages, reversed([*packages])))
    assert found.identical
    assert not (found.causes or found.changed or found.downgrades)


@given(mutated())
def test_the_packages_that_moved_are_exactly_the_causes(
    case: tuple[dict[str, Package], dict[str, Package], dict[str, str]],
) -> None:
    before, after, moved = case
    found = diff_locks(make_lock(before), make_lock(after))
    causes = {cause.packages[0].name: cause for cause in found.causes}
    assert len(causes) == len(found.causes) == len(moved)
    assert {after[key].name: how for key, how in moved.items()} == {
        name: cause.changes[0].kind for name, cause in causes.items()
    }
    assert all(len(cause.changes) == 1 for cause in found.causes)
    assert found.identical == (not moved)


@given(mutated())
def test_a_cause_reaches_those_that_need_it_by_a_shortest_way(
    case: tuple[dict[str, Package], dict[str, Package], dict[str, str]],
) -> None:
    before, after, moved = case
    found = diff_locks(make_lock(before), make_lock(after))
    steps = distances(after)
    keys = {package.name: key for key, package in after.items()}
    expected = {
        (after[start].name, after[end].name): far
        for (start, end), far in steps.items()
        if start in moved
    }
    ways = {}
    for row in found.changed:
        for index in row.causes:
            way = found.path(row, index)
            assert way[-1] is row.after
            assert way[0] in found.causes[index].packages
            for below, above in itertools.pairwise(way):
                assert keys[below.name] in after[keys[above.name]].needs
            ways[way[0].name, row.after.name] = len(way) - 1
    assert ways == expected
    assert {name for _, name in expected} == {row.after.name for row in found.changed}
    counts = {cause.packages[0].name: len(cause.reaches) for cause in found.causes}
    for name, count in counts.items():
        assert count == sum(start == name for start, _ in expected)


@given(mutated())
def test_lower_versions_are_flagged_and_no_others(
    case: tuple[dict[str, Package], dict[str, Package], dict[str, str]],
) -> None:
    before, after, moved = case
    ups = {before[key].name for key, how in moved.items() if how == "version"}
    forth = diff_locks(make_lock(before), make_lock(after))
    back = diff_locks(make_lock(after), make_lock(before))
    assert forth.downgrades == ()
    assert {row.name for row in back.downgrades} == ups


@given(graphs(names=4), graphs(names=4))
def test_every_changed_hash_is_explained_also_where_names_repeat(
    one: dict[str, Package], other: dict[str, Package]
) -> None:
    before, after = make_lock(one), make_lock(other)
    found = diff_locks(before, after)
    assert all(row.causes for row in found.changed)
    old = {row.before.hash for row in found.changed} | {node.hash for node in found.removed}
    new = {row.after.hash for row in found.changed} | {node.hash for node in found.added}
    assert old == before.nodes.keys() - after.nodes.keys()
    assert new == after.nodes.keys() - before.nodes.keys()
    assert all(row.before.name == row.after.name for row in found.changed)
    assert found.identical == (before.nodes.keys() == after.nodes.keys())


@given(graphs())
def test_a_setting_of_all_packages_is_one_cause(packages: dict[str, Package]) -> None:
    moved = copy.deepcopy(packages)
    for package in moved.values():
        package.target = "x86_64_v3"
    found = diff_locks(make_lock(packages), make_lock(moved))
    (cause,) = found.causes
    assert [str(change) for change in cause.changes] == ["target: x86_64 -> x86_64_v3"]
    assert len(cause.packages) == len(cause.reaches) == len(packages)


def sample(before: str, after: str) -> LockDiff:
    locks = (read_spack_lock(DATA / f"{name}.spack.lock") for name in (before, after))
    return diff_locks(*locks)


def test_another_interpreter_a_changed_recipe_and_a_lower_version_are_told_apart() -> None:
    found = sample("python_usr", "python_opt")
    causes = [
        (cause.packages[0].name, str(cause.changes[0]), len(cause.reaches))
        for cause in found.causes
    ]
    assert causes == [
        ("python", "external /usr -> /opt/python", 18),
        ("py-numpy", "recipe changed", 4),
        ("py-attrs", "26.1.0 -> 25.4.0", 2),
    ]
    assert [str(change) for change in found.roots] == [
        "root py-graphviz: none -> py-graphviz",
        "root py-shellingham: py-shellingham -> none",
    ]
    assert [node.name for node in found.added] == ["py-graphviz"]
    assert [node.name for node in found.removed] == ["py-shellingham"]
    assert found.downgrades == (Downgrade("py-attrs", "26.1.0", "25.4.0"),)


def test_another_provider_is_one_cause_and_a_lower_one_is_flagged() -> None:
    found = sample("zlib_ng", "zlib")
    (cause,) = found.causes
    assert str(cause.changes[0]) == "provider zlib-api: zlib-ng@2.3.3 -> zlib@1.3.2"
    assert [node.name for node in cause.packages] == ["pigz"]
    assert [row.after.name for row in found.changed] == ["pigz", "tar"]
    assert found.downgrades == (Downgrade("zlib-api", "zlib-ng@2.3.3", "zlib@1.3.2"),)


def test_a_provider_that_stays_for_one_virtual_is_one_change() -> None:
    def world(lapack: str) -> dict[str, Package]:
        needs: dict[str, tuple[str, ...]] = {"openblas": ("blas",), "netlib": ()}
        needs[lapack] = (*needs[lapack], "lapack")
        return {
            "openblas": Package("openblas"),
            "netlib": Package("netlib"),
            "scipy": Package("scipy", needs=needs),
        }

    found = diff_locks(make_lock(world("netlib")), make_lock(world("openblas")))
    (cause,) = found.causes
    assert [str(change) for change in cause.changes] == [
        "provider lapack: netlib@1.0 -> openblas@1.0"
    ]


def test_a_dependency_that_came_or_is_another_of_its_name_is_the_users_own_change() -> None:
    def world(needs: list[str]) -> dict[str, Package]:
        return {
            "new": Package("gmake", "4.4"),
            "old": Package("gmake", "4.3"),
            "user": Package("user", needs=dict.fromkeys(needs, ())),
        }

    came = diff_locks(make_lock(world([])), make_lock(world(["new"])))
    assert [str(change) for change in came.changed[0].changes] == ["depends on gmake (gmake@4.4)"]
    other = diff_locks(make_lock(world(["new"])), make_lock(world(["old"])))
    (row,) = other.changed
    assert [change.kind for change in row.changes] == ["dependency"]
    assert other.downgrades == (Downgrade("gmake", "4.4", "4.3", "user@1.0"),)


def test_another_repository_and_another_use_have_words_of_their_own() -> None:
    base = {"tool": Package("tool"), "user": Package("user", needs={"tool": ()})}
    moved = copy.deepcopy(base)
    moved["tool"].namespace = "fiducial_wheels"
    moved["tool"].recipe = "r1"
    moved["user"].needs["tool"] = ("mpi",)
    found = diff_locks(make_lock(base), make_lock(moved))
    assert [str(change) for cause in found.causes for change in cause.changes] == [
        "repository: builtin -> fiducial_wheels",
        "uses tool for build, link -> build, link as mpi",
    ]


def test_another_spack_is_a_difference_although_no_hash_changed() -> None:
    lock = read_spack_lock(DATA / "zlib.spack.lock")
    found = diff_locks(lock, type(lock)(lock.name, lock.sha256, "2.0", lock.roots, lock.nodes))
    assert not found.identical
    assert found.spack is not None and found.spack[1] == "2.0"
    assert not found.changed
