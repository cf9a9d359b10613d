"""Recipes are checked without Spack: a stand-in for ``spack.package`` records their directives."""

from __future__ import annotations

import contextlib
import importlib.metadata
import itertools
import platform
import re
import runpy
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from fiducial.stack.environment import load_environment
from fiducial.stack.interpreter import inspect_python
from fiducial.stack.lockfile import LockedPackage, read_lock
from fiducial.stack.spack.bundle_recipe import read_distributions
from fiducial.stack.spack.recipes import WHEEL_ENVIRONMENTS, compare
from fiducial.stack.spack.releases import released_archives
from fiducial.stack.spack.wheel_metadata import read_distribution, read_table, table_path
from fiducial.stack.spack.wheel_recipe import MARKERS
from fiducial.stack.wheel_choice import choose_wheels
from fiducial.stack.workspace import find_workspace

WORKSPACE = find_workspace(Path(__file__).parent)
REPOSITORIES = WORKSPACE.root / "spack-repo" / "spack_repo"
RECIPES = sorted(REPOSITORIES.glob("*/packages/*/package.py"))
BUILTIN = {"python", "geant4-data", "py-furo", "py-myst-parser", "py-sphinx"}
"""What our recipes take from Spack's own."""
COMPONENTS = {component.name: component for component in WORKSPACE.components.values()}


class Recorded:
    """The directives of one recipe: (name, arguments, keywords, enclosing defaults)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.defaults: list[dict[str, Any]] = []

    def directive(self, name: str) -> Any:
        def record(*arguments: Any, **keywords: Any) -> None:
            merged = {key: value for row in self.defaults for key, value in row.items()}
            self.calls.append((name, arguments, {**merged, **keywords}))

        return record

    @contextlib.contextmanager
    def default_args(self, **keywords: Any) -> Iterator[None]:
        self.defaults.append(keywords)
        yield
        self.defaults.pop()

    def named(self, name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        return [(args, keywords) for called, args, keywords in self.calls if called == name]


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Recorded, type]:
    """Run a recipe against the stand-in: its directives and its class."""
    recorded = Recorded()
    package = types.ModuleType("spack.package")
    names = ["license", "version", "variant", "depends_on", "requires", "conflicts", "maintainers"]
    for name in names:
        setattr(package, name, recorded.directive(name))
    package.default_args = recorded.default_args  # type: ignore[attr-defined]
    package.EnvironmentModifications = dict  # type: ignore[attr-defined]
    package.when = lambda _: lambda method: method  # type: ignore[attr-defined]
    python = types.ModuleType("spack_repo.builtin.build_systems.python")
    python.PythonPackage = type("PythonPackage", (), {})  # type: ignore[attr-defined]
    bundle = types.ModuleType("spack_repo.builtin.build_systems.bundle")
    bundle.BundlePackage = type("BundlePackage", (), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, bundle.__name__, bundle)
    for name in ("spack", "spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "spack.package", package)
    monkeypatch.setitem(sys.modules, python.__name__, python)
    scope = runpy.run_path(str(path))
    classes = [
        value
        for value in scope.values()
        if isinstance(value, type) and value.__module__ == "<run_path>"
    ]
    assert len(classes) == 1
    return recorded, classes[0]


reference_host = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64" or sys.platform != "linux",
    reason="the recipes are written for CPython 3.11 on Linux x86_64",
)


def test_the_committed_recipes_are_what_they_are_generated_from() -> None:
    assert [(str(c.path), c.kind, c.difference()) for c in compare(WORKSPACE)] == []


def test_there_is_a_recipe_for_every_component_and_every_locked_wheel() -> None:
    folders = {(path.parents[2].name, path.parent.name) for path in RECIPES}
    ours = {("fiducial", f"py_{name.replace('-', '_')}") for name in COMPONENTS}
    ours.add(("fiducial", "fiducial"))
    wheels = {("fiducial_wheels", f"py_{name.replace('-', '_')}") for name in locked()}
    assert ours | wheels <= folders
    assert {row for row in folders if row[0] == "fiducial_wheels"} == wheels


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.parent.name)
def test_a_recipe_has_all_that_the_audit_does_not_ask_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, recipe = load(path, monkeypatch)
    assert recipe.__doc__ and len(recipe.__doc__) > 10
    (licence,) = recorded.named("license")
    assert canonicalize_license_expression(licence[0][0]) == licence[0][0], "not SPDX"
    assert recorded.named("version")
    for _, keywords in recorded.named("version"):
        if path.parents[2].name == "fiducial_wheels":
            assert re.fullmatch(r"[0-9a-f]{64}", keywords["sha256"])
            assert keywords["expand"] is False
    text = path.read_text()
    assert "://" not in text, "a recipe names no host"
    for directive in ("conflicts", "requires"):
        assert all(len(keywords["msg"]) > 10 for _, keywords in recorded.named(directive))
    assert all(keywords["description"] for _, keywords in recorded.named("variant"))
    if recipe.__bases__[0].__name__ == "PythonPackage":
        assert any(args[0].startswith("python@") for args, _ in recorded.named("depends_on"))


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_released_version_has_the_checksum_that_is_pinned(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recorded, _ = component(name, monkeypatch)
    pins = {
        row.version: row.sha256 for row in released_archives(WORKSPACE) if row.component == name
    }
    found = {args[0]: keywords.get("sha256") for args, keywords in recorded.named("version")}
    assert {version: sha256 for version, sha256 in found.items() if sha256} == pins
    assert found.keys() - pins.keys() <= {COMPONENTS[name].version}


def test_the_bundle_has_every_component_and_every_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, _ = load(REPOSITORIES / "fiducial/packages/fiducial/package.py", monkeypatch)
    asked = {arguments[0]: keywords["when"] for arguments, keywords in recorded.named("depends_on")}
    names = [f"py-{name}" for name in COMPONENTS]
    assert set(names) <= asked.keys(), "main takes any version of each"
    extras = {
        f"py-{name}+{extra}": f"+{extra}" for name, c in COMPONENTS.items() for extra in c.extras
    }
    assert extras.items() <= asked.items()
    offered = {arguments[0] for arguments, _ in recorded.named("variant")}
    wanted = {"geant4", "acts", "root", "pythia8", "cuda", "dask", "docs"}
    assert wanted | {"detector_study", "analysis"} <= offered
    versions = [arguments[0] for arguments, _ in recorded.named("version")]
    listed = read_distributions(WORKSPACE, released_archives(WORKSPACE))
    assert versions == [*sorted(listed, key=Version, reverse=True), "main"]
    for version, row in listed.items():
        for name, chosen in row.items():
            assert f"py-{name}@={chosen}" in asked, version


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_component_and_its_recipe_ask_for_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, recorded, recipe = component(name, monkeypatch)
    assert project["description"] in (recipe.__doc__ or "")
    assert recorded.named("license")[0][0][0] == project["license"]
    assert project["version"] in [arguments[0] for arguments, _ in recorded.named("version")]
    offered = [arguments[0] for arguments, _ in recorded.named("variant")]
    wanted = {(row, "") for row in project["dependencies"]}
    for extra in offered:
        wanted |= {(row, f"+{extra}") for row in project["optional-dependencies"][extra]}
    run = [
        (arguments[0], variant_of(keywords.get("when", "")))
        for arguments, keywords in recorded.named("depends_on")
        if keywords["type"] == "run" and is_for(keywords.get("when", ""), project["version"])
    ]
    asked = {(parse(spec)[0], when): parse(spec)[1:] for spec, when in run}
    requirements = {(f"py-{Requirement(row).name}", when): Requirement(row) for row, when in wanted}
    assert asked.keys() == requirements.keys() and len(run) == len(wanted)
    for key, requirement in requirements.items():
        versions, variants = asked[key]
        assert variants == requirement.extras
        for version in near(str(requirement.specifier)):
            assert holds(versions, version) == (version in requirement.specifier), (key, version)


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_component_and_its_recipe_run_on_the_same_pythons(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, recorded, _ = component(name, monkeypatch)
    (python,) = [a[0] for a, _ in recorded.named("depends_on") if a[0].startswith("python@")]
    specifiers = SpecifierSet(project["requires-python"])
    for version in [f"3.{minor}.{patch}" for minor in range(8, 20) for patch in (0, 7)]:
        assert holds(parse(python)[1], version) == (version in specifiers)


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_every_extra_is_a_variant_or_is_left_out_with_a_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, recorded, _ = component(name, monkeypatch)
    text = (COMPONENTS[name].directory / "pyproject.toml").read_text()
    omitted = tomllib.loads(text)["tool"]["fiducial"]["recipe"].get("omitted", {})
    offered = {arguments[0] for arguments, _ in recorded.named("variant")}
    assert offered | omitted.keys() == set(project.get("optional-dependencies", {}))
    assert not offered & omitted.keys() and all(len(reason) > 20 for reason in omitted.values())


def test_wheel_recipes_depend_only_on_recipes_that_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {path.parent.name for path in RECIPES}
    for path in RECIPES:
        recorded, _ = load(path, monkeypatch)
        for (spec, *_), _ in recorded.named("depends_on"):
            name = parse(spec)[0]
            assert name in BUILTIN or name.replace("-", "_") in known, (path.parent.name, name)


def test_a_wheel_recipe_takes_a_file_of_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package in locked().items():
        folder = REPOSITORIES / "fiducial_wheels/packages" / f"py_{name.replace('-', '_')}"
        recorded, recipe = load(folder / "package.py", monkeypatch)
        ((version, *_), keywords) = recorded.named("version")[0]
        assert version == package.version
        assert recipe.pypi == f"{name}/{package.wheels[keywords['sha256']]}"  # type: ignore[attr-defined]


@reference_host
@pytest.mark.parametrize("name", WHEEL_ENVIRONMENTS)
def test_recipes_and_the_wheel_builder_choose_the_same_files(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = load_environment(WORKSPACE, name)
    lock = read_lock(environment.lock_path)
    libraries = environment.glibc, environment.newer_glibc
    for chosen in choose_wheels(lock, inspect_python(sys.executable), *libraries):
        folder = f"py_{chosen.package.name.replace('-', '_')}"
        path = REPOSITORIES / "fiducial_wheels/packages" / folder / "package.py"
        recorded, _ = load(path, monkeypatch)
        assert recorded.named("version")[0][1]["sha256"] == chosen.sha256


def test_an_unknown_name_in_a_recipe_is_found_by_the_linter(tmp_path: Path) -> None:
    recipe = next(path for path in RECIPES if path.parent.name == "py_fiducial_core")
    text = (
        recipe.read_text().replace("    variant(", "    varaint(").replace("license(", "licence(")
    )
    command = [sys.executable, "-m", "ruff", "check", "--config", REPOSITORIES.parent / "ruff.toml"]
    command += ["--select", "F405", "--output-format", "concise", "--no-cache", "-"]
    found = subprocess.run(command, input=text, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 1 and "`licence` may be undefined" in found.stdout
    clean = subprocess.run(command, input=recipe.read_text(), capture_output=True, text=True)
    assert clean.returncode == 0, clean.stdout


@reference_host
def test_what_the_table_says_of_a_wheel_is_what_the_installed_one_says() -> None:
    table = {row.name: row for row in read_table(table_path(WORKSPACE)).values()}
    assert table.keys() == locked().keys()
    compared = 0
    for distribution in importlib.metadata.distributions():
        found = table.get(canonicalize_name(distribution.name))
        if found is not None and found.version == distribution.version:
            assert read_distribution(distribution) == found
            compared += 1
    assert compared > 50


def locked() -> dict[str, LockedPackage]:
    """Every package of the locks whose wheels have recipes."""
    found = {}
    for name in WHEEL_ENVIRONMENTS:
        found |= read_lock(load_environment(WORKSPACE, name).lock_path).applicable(MARKERS)
    return found


def component(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Recorded, type]:
    """The metadata of a component, the directives of its recipe, and the recipe's class."""
    folder = REPOSITORIES / "fiducial/packages" / f"py_{name.replace('-', '_')}"
    text = (COMPONENTS[name].directory / "pyproject.toml").read_text()
    return tomllib.loads(text)["project"], *load(folder / "package.py", monkeypatch)


def parse(spec: str) -> tuple[str, str, set[str]]:
    """Name, version range and enabled variants of a spec such as ``py-a@1:2+b``."""
    head, *variants = spec.split("+")
    name, _, versions = head.partition("@")
    return name, versions, set(variants)


def is_for(when: str, version: str) -> bool:
    """Whether a condition such as ``@1:2+b`` holds for ``version`` with some variants."""
    versions = when.split("+")[0].removeprefix("@")
    return not versions or holds(versions, version)


def variant_of(when: str) -> str:
    """The variant in a condition such as ``@1:2+b``."""
    return "+" + when.split("+")[1] if "+" in when else ""


def holds(versions: str, version: str) -> bool:
    """Whether Spack's ``@versions`` holds ``version``: an end holds all that begins with it."""
    parts = [int(part) for part in version.split(".")]
    if versions.startswith("="):
        return parts == [int(part) for part in versions[1:].split(".")]
    low, _, high = versions.partition(":")
    above = not low or parts >= [int(part) for part in low.split(".")]
    ends = [int(part) for part in high.split(".")] if high else None
    return above and (ends is None or parts[: len(ends)] <= ends)


def near(specifiers: str) -> Iterator[str]:
    """Versions around every bound of a range, each with three parts."""
    for text in re.findall(r"[0-9][0-9.]*", specifiers):
        bound = ([int(part) for part in text.split(".")] + [0, 0])[:3]
        for place, step in itertools.product(range(3), (-1, 0, 1, 7)):
            moved = [*bound[:place], bound[place] + step, *bound[place + 1 :]]
            if moved[place] >= 0:
                yield ".".join(map(str, moved))
