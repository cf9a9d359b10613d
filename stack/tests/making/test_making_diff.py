"""The diff of two stacks names what moved, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.stack.diff import diff
from fiducial.stack.manifest import Manifest, Package, read_manifest

from .conftest import Toy, make_wheel


@pytest.fixture
def manifest(toy_stack: Path) -> Manifest:
    return read_manifest(toy_stack)


def _with(manifest: Manifest, name: str, **changes: object) -> Manifest:
    packages = [
        package.model_copy(update=changes) if package.name == name else package
        for package in manifest.packages
    ]
    return manifest.model_copy(update={"packages": tuple(packages)})


def test_a_stack_is_identical_to_itself(manifest: Manifest) -> None:
    assert diff(manifest, manifest).identical


def test_a_new_wheel_is_explained_by_the_lock(toy: Toy, toy_stack: Path, tmp_path: Path) -> None:
    make_wheel(toy.index, "toylib", "2.0", {"toylib/__init__.py": "VALUE = 2\n"})
    make_wheel(toy.index, "more", "1.0", {"more.py": ""})
    toy.edit("components/alpha/pyproject.toml", "toylib>=1", "toylib>=2")
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nmore")
    toy.lock()
    found = diff(read_manifest(toy_stack), toy.build(tmp_path / "toy"))
    assert list(found.inputs) == ["lock"]
    rows = [(c.name, c.kind, c.before, c.after, c.causes) for c in found.packages]
    assert rows == [
        ("fiducial-alpha", "changed", "0.1.0", "0.1.0", ("component",)),
        ("more", "added", None, "1.0", ("lock",)),
        ("toylib", "changed", "1.0", "2.0", ("lock",)),
    ]
    changed = [change.path for change in found.packages[2].files if change.kind == "changed"]
    assert any(path.endswith("toylib/__init__.py") for path in changed)
    back = diff(read_manifest(tmp_path / "toy"), read_manifest(toy_stack))
    assert [c.kind for c in back.packages] == ["changed", "removed", "changed"]


def test_a_rebuilt_wheel_of_the_same_version_names_the_file(manifest: Manifest) -> None:
    other = _with(manifest, "toylib", source_sha256="f" * 64, source="toylib-1.0-1-py3.whl")
    (change,) = diff(manifest, other).packages
    assert change.why == "the lock allows toylib-1.0-1-py3.whl"


def _recompiled(package: Package) -> dict[str, object]:
    entries = {
        path: entry.model_copy(update={"sha256": "e" * 64}) if path.endswith(".pyc") else entry
        for path, entry in package.files.items()
    }
    return {"files": entries}


def test_another_interpreter_or_builder_explains_files_of_an_unchanged_source(
    manifest: Manifest,
) -> None:
    package = manifest.package("toylib")
    assert package is not None
    other = _with(manifest, "toylib", **_recompiled(package))
    (change,) = diff(manifest, other).packages
    assert change.causes == ("unexplained",)
    interpreter = manifest.interpreter.model_copy(update={"cache_tag": "cpython-399"})
    (change,) = diff(manifest, other.model_copy(update={"interpreter": interpreter})).packages
    assert (change.causes, change.why) == (("interpreter",), "the interpreter moved")
    assert [file.kind for file in change.files] == ["changed"]
    builder = manifest.builder.model_copy(update={"version": "next"})
    (change,) = diff(manifest, other.model_copy(update={"builder": builder})).packages
    assert change.causes == ("builder",)
