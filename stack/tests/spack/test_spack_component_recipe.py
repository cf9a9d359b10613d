"""Recipes are written from the components' metadata, whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fiducial.stack.errors import InputError, Mistakes
from fiducial.stack.spack import recipes
from fiducial.stack.spack.component_recipe import render_component
from fiducial.stack.spack.releases import ReleasedArchive, metadata_path
from fiducial.stack.workspace import Workspace

METADATA = """
[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"
[project]
name = "fiducial-{name}"
version = "0.2.0"
description = "Something"
requires-python = ">=3.11,<3.15"
license = "Apache-2.0"
dependencies = {dependencies}
{extras}
[tool.fiducial.recipe]
{recipe}
"""
SMOKE = "smoke = 'import fiducial.{name}'"


def workspace(
    root: Path, dependencies: str = "[]", extras: str = "", recipe: str = SMOKE
) -> Workspace:
    """A workspace of two components: ``other`` (extra ``fast``) and ``some``, as given."""
    fast = '[project.optional-dependencies]\nfast = ["numba>=0.61"]'
    described = SMOKE + "\n[tool.fiducial.recipe.variants]\nfast = 'Compile loops'"
    rows = {"other": ("[]", fast, described), "some": (dependencies, extras, recipe)}
    for name, (needs, offers, table) in rows.items():
        folder = root / "components" / name
        folder.mkdir(parents=True)
        text = METADATA.format(name=name, dependencies=needs, extras=offers, recipe=table)
        (folder / "pyproject.toml").write_text(text.replace("{name}", name))
    return Workspace(root)


def render(root: Path, **metadata: str) -> str:
    made = workspace(root, **metadata)
    return render_component(made, made.component("fiducial-some"))


def keep(root: Path, version: str, digit: str, old: str = "", new: str = "") -> ReleasedArchive:
    """Keep the metadata of a release of ``some``: today's, with ``old`` replaced by ``new``."""
    text = (root / "components/some/pyproject.toml").read_text()
    assert old in text
    path = metadata_path(Workspace(root), "fiducial-some", version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace('"0.2.0"', f'"{version}"').replace(old, new))
    return ReleasedArchive("fiducial-some", version, digit * 64, digit * 40)


def test_requirements_become_dependencies_with_their_ranges(tmp_path: Path) -> None:
    text = render(tmp_path, dependencies='["fiducial-other[fast]>=0.1,<0.3", "numpy>=2.0"]')
    assert 'depends_on("python@3.11:3.14")' in text
    assert 'depends_on("py-hatchling@1.25:")' in text
    assert 'depends_on("py-fiducial-other@0.1:0.2+fast")' in text
    assert 'depends_on("py-numpy@2.0:")' in text


def test_an_extra_becomes_a_variant_that_brings_its_requirements(tmp_path: Path) -> None:
    extras = '[project.optional-dependencies]\ndask = ["distributed>=2024.8"]'
    recipe = SMOKE + "\n[tool.fiducial.recipe.variants]\ndask = 'Many machines'"
    text = render(tmp_path, extras=extras, recipe=recipe)
    assert 'variant("dask", default=False, description="Many machines")' in text
    assert 'depends_on("py-distributed@2024.8:", when="+dask")' in text


def test_an_omitted_extra_leaves_no_trace(tmp_path: Path) -> None:
    extras = '[project.optional-dependencies]\ncuda = ["numba-cuda>=0.20"]'
    recipe = SMOKE + "\n[tool.fiducial.recipe.omitted]\ncuda = 'no recipe'"
    assert "cuda" not in render(tmp_path, extras=extras, recipe=recipe)


def test_released_versions_carry_their_checksums_newest_first(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    rows = keep(tmp_path, "0.1.9", "a"), keep(tmp_path, "0.1.10", "b")
    text = render_component(made, made.component("fiducial-some"), rows)
    versions = re.findall(r'version\(\s*"([0-9.]+)"(?:,\s*sha256="(.)\w+",)?( *preferred)?', text)
    assert [(version, digit) for version, digit, _ in versions] == [
        ("0.2.0", ""),
        ("0.1.10", "b"),
        ("0.1.9", "a"),
    ]
    assert text.count("preferred=True") == 1, "what has an archive is preferred to what has none"
    assert re.search(r'"0\.1\.10",\s*sha256="b+",\s*preferred=True', text)
    assert "fiducial_some-0.1.9.tar.gz" in text, "the first release names the archive for ever"


def test_a_release_needs_what_its_own_metadata_says(tmp_path: Path) -> None:
    made = workspace(tmp_path, dependencies='["numpy>=2.0", "fiducial-other>=0.2"]')
    rows = keep(tmp_path, "0.1.0", "a", "numpy>=2.0", "numpy>=1.26"), keep(tmp_path, "0.1.1", "b")
    text = render_component(made, made.component("fiducial-some"), rows)
    assert 'depends_on("py-fiducial-other@0.2:")\n' in text
    assert 'depends_on("py-numpy@2.0:", when="@0.1.1:0.2.0")' in text
    assert 'depends_on("py-numpy@1.26:", when="@=0.1.0")' in text


def test_a_released_version_is_written_from_what_was_kept(tmp_path: Path) -> None:
    made = workspace(tmp_path, dependencies='["numpy>=2.0"]')
    rows = (keep(tmp_path, "0.2.0", "a", "numpy>=2.0", "numpy>=1.26"),)
    text = render_component(made, made.component("fiducial-some"), rows)
    assert 'depends_on("py-numpy@1.26:")' in text and "@2.0:" not in text
    assert "preferred" not in text
    metadata_path(made, "fiducial-some", "0.2.0").unlink()
    with pytest.raises(Mistakes, match="restore it from git"):
        render_component(made, made.component("fiducial-some"), rows)


def test_variants_and_smoke_tests_belong_to_the_versions_that_have_them(tmp_path: Path) -> None:
    extras = '[project.optional-dependencies]\ndask = ["distributed>=2024.8"]'
    recipe = SMOKE + "\n[tool.fiducial.recipe.variants]\ndask = 'Many machines'"
    made = workspace(tmp_path, extras=extras, recipe=recipe)
    old = keep(tmp_path, "0.1.0", "a", extras)
    path = metadata_path(made, "fiducial-some", "0.1.0")
    path.write_text(path.read_text().replace("import fiducial.some", "import fiducial.some.old"))
    text = render_component(made, made.component("fiducial-some"), (old,))
    assert re.search(r'"dask", default=False, description="Many machines", when="@=0\.2\.0"', text)
    assert 'depends_on("py-distributed@2024.8:", when="@=0.2.0+dask")' in text
    for version, code in (("0.1.0", "fiducial.some.old"), ("0.2.0", "fiducial.some")):
        assert f'@when("@={version}")\n    def smoke(self):\n' in text
        assert f"\nimport {code}\n" in text


def test_all_that_spack_cannot_say_is_refused_at_once(tmp_path: Path) -> None:
    rows = ["numpy!=2.1", "h5py; os_name=='nt'", "dask[array]>=2024.8"]
    with pytest.raises(Mistakes) as caught:
        render(
            tmp_path,
            dependencies=json.dumps(rows),
            extras='[project.optional-dependencies]\ndask = ["distributed"]',
            recipe="smoke = ''",
        )
    text = str(caught.value)
    for part in ("!=2.1", "marker", "asks for extras", "extra 'dask'", "no smoke test"):
        assert part in text
    assert len(caught.value.mistakes) == 5


def test_a_smoke_test_that_would_end_its_string_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistakes, match="backslash"):
        render(tmp_path, recipe="smoke = '''print(\"\"\"x\"\"\")'''")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fiducial-sone: {}", "did you mean fiducial-some"),
        ("fiducial-some: {0.1: {}}", "in quotes"),
        ("fiducial-some: {'0.1.0': abc}", "no set of pins"),
        ("fiducial-some: {'0.1.0': {sha256: abc}}", "no hash of 64 digits"),
        ("fiducial-some: {'0.1.0': {tre: abc}}", "did you mean tree"),
        ("[1", "not readable YAML"),
        ("- fiducial-some", "not a mapping"),
    ],
)
def test_mistakes_in_the_list_of_releases_are_named(
    tmp_path: Path, text: str, problem: str
) -> None:
    made = workspace(tmp_path)
    (tmp_path / "spack-repo").mkdir()
    (tmp_path / "spack-repo" / "releases.yaml").write_text(text)
    with pytest.raises(InputError, match=problem):
        recipes.generate(made)


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose only generated recipe is that of ``some``; returns the recipe's path."""
    made = workspace(tmp_path)
    (tmp_path / "environments").mkdir()
    path = recipes.repository(made, "fiducial") / "packages/py_fiducial_some/package.py"
    text = render_component(made, made.component("fiducial-some"))
    monkeypatch.setattr(recipes, "generate", lambda *_: {path: text})
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(tmp_path))
    return path


def run(*arguments: str) -> tuple[int, str]:
    from fiducial.stack.cli.cmd_recipes import app

    done = CliRunner().invoke(app, list(arguments))
    code = getattr(done.exception, "exit_code", done.exit_code)
    return code, done.output


def test_sync_writes_what_check_missed_and_removes_what_is_superfluous(generated: Path) -> None:
    gone = generated.parents[1] / "py_gone" / "package.py"
    by_hand = generated.parents[1] / "fiducial" / "package.py"
    for path, text in ((gone, "# Generated from elsewhere\n"), (by_hand, "# By hand\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    code, text = run("check")
    assert code == 1 and "py_fiducial_some: missing" in text and "py_gone: superfluous" in text
    assert run("sync", "--dry-run")[0] == 0 and not generated.exists() and gone.exists()
    assert run("sync")[0] == 0
    assert generated.exists() and not gone.parent.exists() and by_hand.exists()
    assert run("check") == (0, "all recipes are what they are generated from\n")


def test_an_edited_recipe_is_found_and_shown(generated: Path) -> None:
    run("sync")
    generated.write_text(generated.read_text().replace("python@3.11:3.14", "python@3.8:"))
    code, text = run("check", "--json")
    (change,) = json.loads(text)["changes"]
    assert code == 1 and change["kind"] == "differs"
    assert any('+        depends_on("python@3.11:3.14")' in line for line in change["lines"])
