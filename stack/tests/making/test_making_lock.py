"""Locks: sealed, complete, and honest about what moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.stack.environment import load_environment
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes, StackError
from fiducial.stack.lock import moved_inputs, plan_lock, require_fresh_lock
from fiducial.stack.lockfile import LockedPackage, parse_lock, read_lock, render_lock
from fiducial.stack.tools import run_uv
from fiducial.stack.workspace import Workspace, find_workspace

from .conftest import Toy, make_wheel

A, B = "a" * 64, "b" * 64
PACKAGES = (
    LockedPackage("alpha", "1.0", "", {A: "alpha-1.0-py3-none-any.whl"}),
    LockedPackage("beta", "2.1", "python_version >= '3.12'", {B: "beta-2.1-py3-none-any.whl"}),
)
INPUTS = {"wheels.in": ("alpha>=1", "beta"), "fiducial-x 0.1.0": ()}
LOCK = render_lock("toy", ">=3.11", "0" * 64, INPUTS, PACKAGES)
NAME = "environments/toy/wheels.lock"


def test_a_rendered_lock_reads_back_as_it_was() -> None:
    lock = parse_lock(LOCK, NAME)
    assert lock.packages == PACKAGES
    assert lock.inputs == INPUTS
    assert (lock.environment, lock.python, lock.definition) == ("toy", ">=3.11", "0" * 64)


@given(position=st.integers(0, len(LOCK) - 1), byte=st.integers(0, 255))
@settings(max_examples=300)
def test_any_altered_byte_is_refused(position: int, byte: int) -> None:
    altered = LOCK[:position] + bytes([byte]) + LOCK[position + 1 :]
    if altered == LOCK:
        return
    with pytest.raises(StackError) as caught:
        parse_lock(altered, NAME)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("alpha==1.0 \\", "alpha==1.1 \\", f"{NAME}:8: alpha==1.1 was added or its version"),
        ("alpha==1.0 \\", "alpha==1.1 \\", "alpha==1.0 was removed or its version"),
        (f"sha256:{A}", f"sha256:{B}", f"{NAME}:8: the hashes or files of alpha==1.0"),
        (f"beta==2.1 ; python_version >= '3.12' \\\n    --hash=sha256:{B}\n", "", "beta==2.1"),
        ("# environment: toy", "# environment: toy ", "closing digest"),
        ("alpha==1.0 \\", "alpha @ https://example.org/alpha.whl \\", "holds an address"),
    ],
)
def test_a_lock_edited_by_hand_is_refused_by_name_and_line(old: str, new: str, named: str) -> None:
    text = LOCK.decode()
    assert old in text
    with pytest.raises(Mistakes) as caught:
        parse_lock(text.replace(old, new, 1).encode(), NAME)
    assert named in str(caught.value)
    assert "edited by hand" in str(caught.value)


def test_a_plain_requirements_file_is_not_taken_for_a_lock() -> None:
    with pytest.raises(InputError, match="not a sealed lock"):
        parse_lock(f"alpha==1.0 --hash=sha256:{A}\n".encode(), NAME)


def test_the_installer_accepts_a_lock_as_it_is(toy: Toy, toy_stack: Path) -> None:
    said = run_uv(
        ["pip", "install", "--dry-run", "--target", str(toy.workspace.root / "x"),
         "--require-hashes", "-r", str(toy.workspace.root / "environments/toy/wheels.lock")],
        "read the lock",
    )  # fmt: skip
    assert "toylib==1.0" in said


def test_a_fresh_lock_needs_no_network(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fiducial.stack.lock_resolve.run_uv", None)
    plan = plan_lock(load_environment(toy.workspace, "toy"))
    assert plan.fresh
    assert [package.name for package in plan.old.packages] == ["toylib"]  # type: ignore[union-attr]


def test_a_stale_lock_says_which_input_moved_and_which_package_would_change(toy: Toy) -> None:
    make_wheel(toy.index, "toylib", "2.0", {"toylib/__init__.py": "VALUE = 2\n"})
    make_wheel(toy.index, "other", "1.0", {"other.py": ""})
    toy.edit("components/alpha/pyproject.toml", '"toylib>=1"', '"toylib>=2", "other"')
    environment = load_environment(Workspace(toy.workspace.root), "toy")
    plan = plan_lock(environment)
    assert not plan.fresh
    assert [str(move) for move in plan.moves] == [
        "fiducial-alpha 0.1.0: +other, +toylib>=2, -toylib>=1"
    ]
    assert [str(change) for change in plan.changes] == ["+ other 1.0", "~ toylib 1.0 -> 2.0"]
    with pytest.raises(InputError, match="stale") as caught:
        require_fresh_lock(environment)
    assert "+toylib>=2" in str(caught.value)


def test_a_new_version_of_a_component_is_an_input_that_moved(toy: Toy) -> None:
    toy.edit("components/beta/pyproject.toml", 'version = "0.1.0"', 'version = "0.1.1"')
    environment = load_environment(Workspace(toy.workspace.root), "toy")
    moves = moved_inputs(read_lock(environment.lock_path), environment)
    assert [move.label for move in moves] == ["fiducial-beta 0.1.0 -> fiducial-beta 0.1.1"]


def test_versions_stay_until_an_upgrade_is_asked_for(toy: Toy) -> None:
    make_wheel(toy.index, "toylib", "1.5", {"toylib/__init__.py": ""})
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nfiducial-alpha")
    environment = load_environment(Workspace(toy.workspace.root), "toy")
    kept, upgraded = plan_lock(environment), plan_lock(environment, upgrade=True)
    assert kept.changes == ()
    assert [str(change) for change in upgraded.changes] == ["~ toylib 1.0 -> 1.5"]


def test_a_pin_holds_a_package_back(toy: Toy) -> None:
    make_wheel(toy.index, "toylib", "1.5", {"toylib/__init__.py": ""})
    toy.edit(
        "environments/pins.yaml",
        "pins: {}",
        'pins:\n  toylib: {version: "==1.5", reason: "a test"}',
    )
    plan = plan_lock(load_environment(Workspace(toy.workspace.root), "toy"))
    assert [str(change) for change in plan.changes] == ["~ toylib 1.0 -> 1.5"]


def test_what_cannot_be_resolved_is_bad_input_and_writes_nothing(toy: Toy) -> None:
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\ntoylib>=99")
    environment = load_environment(Workspace(toy.workspace.root), "toy")
    before = environment.lock_path.read_bytes()
    with pytest.raises(InputError, match="toylib"):
        plan_lock(environment)
    assert environment.lock_path.read_bytes() == before


def test_without_an_index_the_error_is_of_the_environment(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_CONFIG_FILE")
    monkeypatch.setenv("UV_OFFLINE", "1")
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nabsent-package")
    with pytest.raises(EnvironmentProblem, match="not reached"):
        plan_lock(load_environment(Workspace(toy.workspace.root), "toy"))


def test_every_mistake_of_a_definition_is_named_at_once(toy: Toy) -> None:
    (toy.workspace.environments / "toy" / "wheels.in").write_text(
        "fiducial-betta\nfiducial-alpha[fast]\nnumpy >> 1\n--index-url https://example.org\n"
    )
    (toy.workspace.environments / "pins.yaml").write_text(
        'format: 1\npins:\n  toylib: {version: "==1.0"}\n'
    )
    with pytest.raises(Mistakes) as caught:
        load_environment(toy.workspace, "toy")
    text = str(caught.value)
    for expected in (
        "environments/toy/wheels.in:1: no component 'fiducial-betta': did you mean fiducial-beta",
        "environments/toy/wheels.in:2: fiducial-alpha has no extra 'fast'",
        "environments/toy/wheels.in:3: bad requirement",
        "environments/toy/wheels.in:4: '--index-url https://example.org' is not allowed",
        "environments/pins.yaml: pins.toylib: has no reason",
    ):
        assert expected in text


def test_an_unknown_environment_gets_the_nearest_name(toy: Toy) -> None:
    with pytest.raises(InputError, match="did you mean toy"):
        load_environment(toy.workspace, "tony")


@pytest.mark.parametrize("name", ["base", "dev"])
def test_committed_locks_are_fresh_and_hold_no_address(name: str) -> None:
    environment = load_environment(find_workspace(Path(__file__).parent), name)
    lock = require_fresh_lock(environment)
    text = environment.lock_path.read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert all(package.wheels for package in lock.packages)


def test_dev_takes_the_versions_of_base() -> None:
    workspace = find_workspace(Path(__file__).parent)
    locks = {
        name: read_lock(workspace.environments / name / "wheels.lock") for name in ("base", "dev")
    }
    base, dev = ({p.name: set() for p in lock.packages} for lock in locks.values())
    for found, lock in zip((base, dev), locks.values(), strict=True):
        for package in lock.packages:
            found[package.name].add(package.version)
    assert {name for name in base if base[name] != dev.get(name)} == set()
