"""The base environment says the same to Spack as to the wheel builder (no Spack needed)."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.component_wheel import read_source
from fiducial.stack.environment import load_environment
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.wheel_recipe import PYTHON
from fiducial.stack.workspace import find_workspace

WORKSPACE = find_workspace(Path(__file__).parent)
BASE = WORKSPACE.environments / "base"
COMMON = WORKSPACE.environments / "common"
COMPONENTS = {spack_name(name): row for name, row in WORKSPACE.components.items()}


def read(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text())
    assert isinstance(data, dict)
    return data


def test_spack_and_the_wheel_builder_are_given_the_same_components_with_the_same_extras() -> None:
    wanted = {
        spack_name(name) + "".join(f"+{extra}" for extra in sorted(extras))
        for name, extras in load_environment(WORKSPACE, "base").components.items()
    }
    assert set(read(BASE / "spack.yaml")["spack"]["specs"]) == wanted


def test_components_without_a_release_are_developed_from_where_they_lie() -> None:
    developed = read(BASE / "spack.yaml")["spack"]["develop"]
    released = WORKSPACE.root / "spack-repo" / "releases.yaml"
    assert developed.keys() == COMPONENTS.keys() - set(read(released) if released.exists() else ())
    for name, row in developed.items():
        assert row["spec"] == f"{name}@={COMPONENTS[name].version}"
        assert (BASE / row["path"]).resolve() == COMPONENTS[name].directory


def test_everything_that_the_environment_includes_stands_in_the_checkout() -> None:
    rows = read(BASE / "spack.yaml")["spack"]["include"]
    optional = [row for row in rows if isinstance(row, dict)]
    assert [(row["path"], row["optional"], row["prefer_modify"]) for row in optional] == [
        ("../host", True, True)
    ], "only what a host says about itself may be absent, and it is what Spack modifies"
    assert rows[0] is optional[0], "the host has the last word"
    for row in rows[1:]:
        assert (BASE / row).is_file()
    for place in read(COMMON / "repos.yaml")["repos"].values():
        assert (COMMON / place / "repo.yaml").is_file()


def test_what_spack_leaves_in_a_component_is_no_source_of_it(tmp_path: Path) -> None:
    link = read(COMMON / "config.yaml")["config"]["develop_stage_link"]
    folder = tmp_path / "components" / "core"
    shutil.copytree(WORKSPACE.component("fiducial-core").directory / "src", folder / "src")
    component = replace(WORKSPACE.component("fiducial-core"), directory=folder)
    before = read_source(WORKSPACE, component)
    (folder / link.replace("{hash:7}", "abcdefg")).symlink_to(tmp_path / "gone")
    assert read_source(WORKSPACE, component).sha256 == before.sha256


def test_no_place_of_a_machine_stands_in_the_environment() -> None:
    for path in [BASE / "spack.yaml", *COMMON.glob("*.yaml")]:
        lines = [line.split("#")[0] for line in path.read_text().splitlines()]
        assert not [line for line in lines if re.search(r"(^|[\s:'\"\[])(/|~)\w|://", line)], path


def test_spack_takes_the_python_that_the_wheel_recipes_are_for() -> None:
    python = read(COMMON / "packages.yaml")["packages"]["python"]
    assert python == {"version": [".".join(map(str, PYTHON))], "buildable": False}
