"""A workspace of two components and a third-party package, small enough to build in a second."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from fiducial.stack.build import build
from fiducial.stack.build_plan import plan_build
from fiducial.stack.environment import load_environment
from fiducial.stack.lock import plan_lock, write_lock
from fiducial.stack.manifest import Manifest
from fiducial.stack.workspace import Workspace

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Write a pure-Python wheel by hand: an index's package that is not ours."""
    info = f"{name}-{version}.dist-info"
    rows = {
        **files,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            "Summary: A third-party package\nLicense-Expression: MIT\n"
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for row, text in rows.items():
            data = text.encode()
            archive.writestr(row, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{row},sha256={digest},{len(data)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return path


@dataclass(frozen=True)
class Toy:
    """A workspace and the folder that stands for the package index."""

    workspace: Workspace
    index: Path

    def lock(self, name: str = "toy") -> None:
        """Make the lock of an environment."""
        write_lock(plan_lock(load_environment(Workspace(self.workspace.root), name)))

    def build(self, prefix: Path, mode: str = "host") -> Manifest:
        """Build the environment ``toy``."""
        return build(plan_build(Workspace(self.workspace.root), "toy", prefix, mode))

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the workspace."""
        file = self.workspace.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def write_component(root: Path, name: str, needs: str, code: str, extra: str = "") -> None:
    """A component of the workspace."""
    folder = root / "components" / name
    package = folder / "src" / "fiducial" / name
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "fiducial-{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        f'description = "Component {name}"\nlicense = "Apache-2.0"\ndependencies = [{needs}]\n'
        f"{extra}\n"
        '[tool.hatch.build.targets.wheel]\npackages = ["src/fiducial"]\n'
    )
    (package / "__init__.py").write_text(code)
    (folder / "tests").mkdir()
    (folder / "tests" / f"test_{name}.py").write_text("")


def write_workspace(root: Path) -> None:
    """Two components, one environment."""
    write_component(
        root,
        "alpha",
        '"toylib>=1"',
        '"""Alpha."""\nimport toylib\n\n\ndef main():\n    print("alpha", toylib.VALUE)\n',
        '[project.scripts]\nalpha = "fiducial.alpha:main"\n',
    )
    write_component(root, "beta", '"fiducial-alpha>=0.1,<0.2"', '"""Beta."""\nBETA = 1\n')
    for folder in ("common", "toy"):
        (root / "environments" / folder).mkdir(parents=True)
    (root / "environments" / "pins.yaml").write_text("format: 1\npins: {}\n")
    (root / "environments" / "common" / "wheels.yaml").write_text(
        f'format: 1\npython: ">=3.11"\nresolve_for: "{MINOR}"\n'
    )
    (root / "environments" / "toy" / "wheels.in").write_text("# A toy.\nfiducial-beta\n")
    (root / "LICENSE").write_text("The licence.\n")


@pytest.fixture(scope="session")
def toolbox() -> SimpleNamespace:
    """What makes workspaces and indexes, for tests that need others than the toy."""
    return SimpleNamespace(
        make_wheel=make_wheel, write_component=write_component, write_workspace=write_workspace,
        isolate=isolate,
    )  # fmt: skip


@pytest.fixture(scope="session")
def toy_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The workspace (locked) and the index that ``toy`` copies."""
    base = tmp_path_factory.mktemp("toy")
    root, index = base / "workspace", base / "index"
    write_workspace(root)
    make_wheel(index, "toylib", "1.0", {"toylib/__init__.py": "VALUE = 1\n"})
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, index, base / "cache")
        Toy(Workspace(root), index).lock()
    return root, index


def isolate(patch: pytest.MonkeyPatch, index: Path, cache: Path) -> None:
    """Let uv know one folder of wheels and nothing else, and keep caches apart."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "FIDUCIAL_"))]:
        patch.delenv(name)
    configuration = index.parent / "uv.toml"
    configuration.write_text(f'no-index = true\nfind-links = ["{index}"]\n')
    patch.setenv("UV_CONFIG_FILE", str(configuration))
    patch.setenv("UV_CACHE_DIR", str(cache / "uv"))
    patch.setenv("FIDUCIAL_CACHE_DIR", str(cache / "fiducial"))


@pytest.fixture
def toy(toy_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """A workspace of one's own, already locked, with caches shared within the session."""
    root, index = toy_files
    shutil.copytree(root, tmp_path / "workspace")
    shutil.copytree(index, tmp_path / "index")
    isolate(monkeypatch, tmp_path / "index", root.parent / "cache")
    return Toy(Workspace(tmp_path / "workspace"), tmp_path / "index")


@pytest.fixture(scope="session")
def toy_stack(toy_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack built once; tests copy it before they alter it."""
    root, index = toy_files
    prefix = tmp_path_factory.mktemp("stack") / "toy"
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, index, root.parent / "cache")
        build(plan_build(Workspace(root), "toy", prefix))
    return prefix


@pytest.fixture
def stack_copy(toy_stack: Path, tmp_path: Path) -> Path:
    """A copy of the built stack that a test may alter."""
    return Path(shutil.copytree(toy_stack, tmp_path / "a stack", symlinks=True))
