"""Component wheels: the same source gives the same bytes, and is built once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fiducial.stack.component_wheel import build_wheel, read_source
from fiducial.stack.errors import InputError
from fiducial.stack.files import sha256_file
from fiducial.stack.workspace import Workspace

from .conftest import Toy

BUILD = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from fiducial.stack.component_wheel import build_wheel, read_source
from fiducial.stack.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
for name in sorted(workspace.components):
    print(name, build_wheel(read_source(workspace, workspace.components[name])).sha256)
"""


def _build_elsewhere(root: Path, cache: Path, umask: str, zone: str) -> str:
    environment = {**os.environ, "FIDUCIAL_CACHE_DIR": str(cache), "TZ": zone}
    return subprocess.run(
        [sys.executable, "-c", BUILD, str(root), umask],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_place_time_permissions_umask_and_zone_do_not_reach_the_bytes(
    toy: Toy, tmp_path: Path
) -> None:
    first = _build_elsewhere(toy.workspace.root, tmp_path / "cache 1", "022", "UTC")
    other = tmp_path / "elsewhere" / "deep" / "checkout"
    shutil.copytree(toy.workspace.root, other)
    for path in other.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
            path.chmod(0o600)
    package = other / "components" / "alpha" / "src" / "fiducial" / "alpha"
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "left.cpython-311.pyc").write_bytes(b"stale")
    (package / ".hidden.swp").write_text("editor")
    (package / "kernel.nbi").write_bytes(b"cache")
    (other / "components" / "alpha" / "tests" / "test_more.py").write_text("")
    second = _build_elsewhere(other, tmp_path / "cache 2", "077", "Asia/Tokyo")
    assert first == second
    assert len(first.splitlines()) == 2


def test_a_changed_source_file_moves_its_component_alone(toy: Toy) -> None:
    def digests() -> dict[str, str]:
        workspace = Workspace(toy.workspace.root)
        return {name: read_source(workspace, c).sha256 for name, c in workspace.components.items()}

    before = digests()
    toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 1", "BETA = 2")
    after = digests()
    assert before["fiducial-alpha"] == after["fiducial-alpha"]
    assert before["fiducial-beta"] != after["fiducial-beta"]


def test_tests_and_caches_are_no_source_but_the_licence_is(toy: Toy) -> None:
    source = read_source(toy.workspace, toy.workspace.components["fiducial-alpha"])
    assert sorted(source.files) == ["LICENSE", "pyproject.toml", "src/fiducial/alpha/__init__.py"]
    with zipfile.ZipFile(build_wheel(source).path) as wheel:
        assert "fiducial_alpha-0.1.0.dist-info/licenses/LICENSE" in wheel.namelist()


def test_an_unchanged_component_is_not_built_again(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_CACHE_DIR", str(tmp_path / "own cache"))
    source = read_source(toy.workspace, toy.workspace.components["fiducial-beta"])
    first, second = build_wheel(source), build_wheel(source)
    assert (first.cached, second.cached) == (False, True)
    assert first.sha256 == second.sha256 == sha256_file(second.path)


def test_a_damaged_wheel_in_the_cache_is_built_anew(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_CACHE_DIR", str(tmp_path / "own cache"))
    source = read_source(toy.workspace, toy.workspace.components["fiducial-beta"])
    first = build_wheel(source)
    first.path.write_bytes(first.path.read_bytes()[:-1])
    second = build_wheel(source)
    assert not second.cached
    assert sha256_file(second.path) == first.sha256


def test_a_component_that_does_not_build_says_why(toy: Toy) -> None:
    toy.edit("components/beta/pyproject.toml", "src/fiducial", "src/absent")
    workspace = Workspace(toy.workspace.root)
    with pytest.raises(InputError, match="cannot build the wheel of fiducial-beta"):
        build_wheel(read_source(workspace, workspace.components["fiducial-beta"]))


def test_every_mistake_of_the_components_metadata_is_named_at_once(toy: Toy) -> None:
    toy.edit("components/alpha/pyproject.toml", 'version = "0.1.0"', 'version = "one"')
    toy.edit("components/beta/pyproject.toml", "fiducial-alpha>=0.1,<0.2", "fiducial-alpha >> 1")
    with pytest.raises(InputError) as caught:
        _ = Workspace(toy.workspace.root).components
    assert "components/alpha/pyproject.toml: project.version: 'one'" in str(caught.value)
    assert "components/beta/pyproject.toml: project.dependencies" in str(caught.value)
