"""The environments say the same to Spack as to the wheel builder (no Spack needed).

One environment has one list of packages. The parity test compares the two locks of each, and
``DIFFERENCES`` names every difference that is meant.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.utils import canonicalize_name

from fiducial.stack.component_wheel import read_source
from fiducial.stack.environment import load_environment
from fiducial.stack.lockfile import read_lock
from fiducial.stack.spack.lock_graph import SpackLock, read_spack_lock
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.spack_environment import (
    load_spack_environment,
    lockable_names,
    spack_environment_names,
)
from fiducial.stack.spack.spack_lock import check_lock
from fiducial.stack.spack.wheel_recipe import MARKERS, PYTHON
from fiducial.stack.workspace import find_workspace

WORKSPACE = find_workspace(Path(__file__).parent)
PLACES = WORKSPACE.environments
COMMON = PLACES / "common"
COMPONENTS = {spack_name(name): row for name, row in WORKSPACE.components.items()}
NAMES = spack_environment_names(WORKSPACE)
LOCKED = lockable_names(WORKSPACE)
BOTH = sorted(set(LOCKED) & set(WORKSPACE.environment_names()))
"""Environments that either builder can make."""

DIFFERENCES = {
    "python": "the host's interpreter, which a wheel stack binds to when it is built or deployed",
    "python-venv": "how Spack runs Python while it installs a package",
    "py-pip": "how Spack installs wheels; the wheel builder has uv do it",
    "py-wheel": "what Spack's build system for Python packages asks for",
    "fiducial": "the bundle: it has no files, and says which components go together",
}
"""What only a Spack lock holds, and why. A wheel lock holds nothing that the other lacks."""


def read(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text())
    assert isinstance(data, dict)
    return data


def versions(lock: SpackLock) -> dict[str, str]:
    found = {node.name: node.version for node in lock.nodes.values()}
    assert len(found) == len(lock.nodes), "unify: one of each"
    return found


def yaml_files() -> Iterator[Path]:
    yield from PLACES.glob("*/spack.yaml")
    yield from COMMON.rglob("*.yaml")


def test_the_three_environments_of_both_builders_are_locked_for_both() -> None:
    assert {"base", "detector-study", "gpu"} <= set(BOTH)


@pytest.mark.parametrize("name", LOCKED)
def test_the_committed_lock_is_fresh(name: str) -> None:
    check_lock(WORKSPACE, name)


@pytest.mark.parametrize("name", BOTH)
def test_both_builders_have_the_same_versions_of_the_same_packages(name: str) -> None:
    environment = load_environment(WORKSPACE, name)
    wheels = read_lock(environment.lock_path).applicable(MARKERS)
    expected = {spack_name(package): row.version for package, row in wheels.items()}
    lock = read_spack_lock(PLACES / name / "spack.lock")
    found = versions(lock)
    released = {package: found.pop(package) for package in COMPONENTS if package in found}
    assert released.keys() == {spack_name(package) for package in environment.components}
    extra = found.keys() - expected.keys()
    assert extra <= DIFFERENCES.keys(), f"neither in wheels.lock nor named: {extra}"
    assert {package: found.get(package) for package in expected} == expected
    spaces = {node.name: node.content["namespace"] for node in lock.nodes.values()}
    assert {spaces[package] for package in expected} == {"fiducial_wheels"}
    assert {spaces[package] for package in [*released, "fiducial"]} == {"fiducial"}


@pytest.mark.parametrize("name", BOTH)
def test_components_have_the_extras_that_the_wheel_builder_gives_them(name: str) -> None:
    nodes = {
        node.name: node for node in read_spack_lock(PLACES / name / "spack.lock").nodes.values()
    }
    for component, extras in load_environment(WORKSPACE, name).components.items():
        parameters = nodes[spack_name(component)].content["parameters"]
        asked = {key for key, value in parameters.items() if value is True}
        assert {canonicalize_name(variant) for variant in asked} == extras, component


def test_every_named_difference_is_one() -> None:
    found: set[str] = set()
    for name in BOTH:
        lock = read_spack_lock(PLACES / name / "spack.lock")
        wheels = read_lock(PLACES / name / "wheels.lock").applicable(MARKERS)
        found |= versions(lock).keys() - {spack_name(package) for package in wheels}
    assert found - COMPONENTS.keys() == DIFFERENCES.keys()


def test_the_full_stack_is_compiled_and_of_the_size_of_the_field() -> None:
    for name in ("full-source", "full-source-dbg"):
        lock = read_spack_lock(PLACES / name / "spack.lock")
        spaces = {node.content["namespace"] for node in lock.nodes.values()}
        assert len(lock.nodes) >= 150 and spaces == {"builtin", "fiducial"}
        wanted = "geant4 root acts dd4hep podio edm4hep gaudi pythia8 hepmc3 fastjet lhapdf delphes"
        wanted += " celeritas vecgeom madgraph5amc sherpa whizard"
        assert set(wanted.split()) <= versions(lock).keys()


@pytest.mark.parametrize(
    ("optimised", "debuggable"), [("full-source", "full-source-dbg"), ("release", "release-dbg")]
)
def test_both_ways_to_compile_have_the_same_versions(optimised: str, debuggable: str) -> None:
    locks = [read_spack_lock(PLACES / name / "spack.lock") for name in (optimised, debuggable)]
    opt, dbg = (versions(lock) for lock in locks)
    assert opt == dbg
    kinds = [
        {
            node.name: node.content["parameters"]["build_type"]
            for node in lock.nodes.values()
            if "build_type" in node.content["parameters"] and not node.external
        }
        for lock in locks
    ]
    ours = {"geant4", "dd4hep", "podio", "edm4hep", "gaudi", "hepmc3", "vecgeom", "root"}
    assert {kinds[0][package] for package in ours} == {"Release"}
    assert {kinds[1][package] for package in ours} == {"Debug"}


def test_nightly_develops_every_component_from_where_it_lies() -> None:
    developed = read(COMMON / "checkout" / "develop.yaml")["develop"]
    assert developed.keys() == COMPONENTS.keys()
    for name, row in developed.items():
        assert row["spec"] == f"{name}@={COMPONENTS[name].version}"
        assert (PLACES / "nightly" / row["path"]).resolve() == COMPONENTS[name].directory
    assert load_spack_environment(WORKSPACE, "nightly").developed == sorted(COMPONENTS)
    assert set(NAMES) - set(LOCKED) == {"nightly"}


@pytest.mark.parametrize("name", NAMES)
def test_a_host_has_the_last_word_and_only_it_may_be_absent(name: str) -> None:
    rows = read(PLACES / name / "spack.yaml")["spack"]["include"]
    host = {"name": "host", "path": "../host", "optional": True, "prefer_modify": True}
    assert rows[0] == host and all(isinstance(row, str) for row in rows[1:])
    load_spack_environment(WORKSPACE, name)  # every file is there, and is YAML


@pytest.mark.parametrize("name", [*NAMES, "dev"])
def test_each_says_for_whom_it_is(name: str) -> None:
    text = (PLACES / name / "README.md").read_text()
    assert text.startswith(f"# {name}\n") and re.search(r"\b[Ff]or\b", text)


def test_repositories_lie_where_the_environments_say() -> None:
    for path in COMMON.rglob("repos.yaml"):
        for place in read(path)["repos"].values():
            assert (path.parent / place / "repo.yaml").is_file(), path


def test_what_spack_leaves_in_a_component_is_no_source_of_it(tmp_path: Path) -> None:
    link = read(COMMON / "config.yaml")["config"]["develop_stage_link"]
    folder = tmp_path / "components" / "core"
    shutil.copytree(WORKSPACE.component("fiducial-core").directory / "src", folder / "src")
    component = replace(WORKSPACE.component("fiducial-core"), directory=folder)
    before = read_source(WORKSPACE, component)
    (folder / link.replace("{hash:7}", "abcdefg")).symlink_to(tmp_path / "gone")
    assert read_source(WORKSPACE, component).sha256 == before.sha256


def test_no_place_of_a_machine_stands_in_an_environment() -> None:
    for path in yaml_files():
        if "reference-host" in path.parts:
            continue
        lines = [line.split("#")[0] for line in path.read_text().splitlines()]
        assert not [line for line in lines if re.search(r"(^|[\s:'\"\[])~?/\w|://", line)], path


def test_no_place_of_a_checkout_stands_in_a_lock() -> None:
    for path in PLACES.glob("*/spack.lock*"):
        text = path.read_text()
        assert str(WORKSPACE.root) not in text and "dev_path" not in text
        assert set(re.findall(r'"path": ?"([^"]*)"', text)) <= {"/usr"}


def test_spack_takes_the_python_that_the_wheel_recipes_are_for() -> None:
    python = read(COMMON / "packages.yaml")["packages"]["python"]
    assert python == {"version": [".".join(map(str, PYTHON))], "buildable": False}
