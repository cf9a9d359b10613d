"""The Spack builder, driven through a stand-in for Spack: the same stack, one clear error each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fiducial.stack import build as building
from fiducial.stack.build_plan import BuildPlan, plan_build
from fiducial.stack.builders import BuildSettings
from fiducial.stack.cli.app import run
from fiducial.stack.diff import diff
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes, StackError
from fiducial.stack.files import sha256_file
from fiducial.stack.manifest import read_manifest
from fiducial.stack.spack import workshop
from fiducial.stack.spack.failures import SpackError
from fiducial.stack.verify import verify
from fiducial.stack.workspace import Workspace

from . import fake_spack
from .conftest import MINOR, Toy, isolate, make_wheel

SITE = f"lib/python{MINOR}/site-packages"
RECIPE = """class PyToylib(PythonPackage):
    pypi = "toylib/{filename}"
    version("1.0", sha256="{sha256}", expand=False)
    depends_on("python")
"""


def package(name: str, version: str, namespace: str, *needs: str, **more: str) -> dict[str, Any]:
    """What the stand-in concretizes to."""
    return {"name": name, "version": version, "namespace": namespace, "needs": needs, **more}


PACKAGES = [
    package("python", MINOR, "builtin"),
    package("python-venv", "1.0", "builtin", "python"),
    package("py-toylib", "1.0", "fiducial_wheels", "python-venv"),
    package("py-fiducial-alpha", "0.1.0", "fiducial", "py-toylib"),
    package("py-fiducial-beta", "0.1.0", "fiducial", "py-fiducial-alpha"),
    package("fiducial", "main", "fiducial", "py-fiducial-beta", system="bundle"),
]


@dataclass(frozen=True)
class Site:
    """The toy workspace on a host with the stand-in."""

    toy: Toy
    home: Path
    store: Path

    def fail(self, **faults: Any) -> None:
        """What is to go wrong, by Spack's command."""
        (self.home / "fault.json").write_text(json.dumps(faults))

    def answer(self, packages: list[dict[str, Any]]) -> None:
        """What concretizing gives."""
        (self.home / "packages.json").write_text(json.dumps(packages))

    def plan(self, prefix: Path, **settings: Any) -> BuildPlan:
        chosen = BuildSettings(store=self.store, **settings)
        workspace = Workspace(self.toy.workspace.root)
        return plan_build(workspace, "toy", prefix, builder="spack", settings=chosen)

    def build(self, prefix: Path, **settings: Any) -> None:
        building.build(self.plan(prefix, **settings))

    def calls(self) -> list[str]:
        """Spack's commands since the last question."""
        path = self.home / "calls.txt"
        found = [line.split()[0] for line in path.read_text().splitlines()]
        path.write_text("")
        return [command for command in found if command != "location"]


@pytest.fixture(scope="session")
def spack_files(
    toy_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The toy workspace with what Spack needs, locked with a wheel that has a binary."""
    base = tmp_path_factory.mktemp("spack")
    root, index = base / "workspace", base / "index"
    shutil.copytree(toy_files[0], root)
    binary = {"toylib/__init__.py": "VALUE = 1\n", "toylib/_core.so": "\x7fELF /opt/builder lib"}
    wheel = make_wheel(index, "toylib", "1.0", binary)
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, index, base / "cache")
        (root / "environments" / "toy" / "wheels.lock").unlink()
        Toy(Workspace(root), index).lock()
    recipe = root / "spack-repo/spack_repo/fiducial_wheels/packages/py_toylib/package.py"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE.format(filename=wheel.name, sha256=sha256_file(wheel)))
    common = root / "environments" / "common"
    (common / "concretizer.yaml").write_text("concretizer: {unify: true}\n")
    (root / "environments" / "toy" / "spack.yaml").write_text(
        "spack:\n  include:\n  - {name: host, path: ../host, optional: true}\n  - ../common\n"
        "  specs:\n  - fiducial@0.1\n  - py-fiducial-beta@0.0+extra\n"
    )
    return root, index


@pytest.fixture
def site(spack_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    root, index = spack_files
    shutil.copytree(root, tmp_path / "workspace")
    home = tmp_path / "spack"
    (home / "bin").mkdir(parents=True)
    (home / "builtin").mkdir()
    program = home / "bin" / "spack"
    module = str(fake_spack.__file__)
    source = f"import runpy\nrunpy.run_path({module!r}, run_name='__main__')\n"
    program.write_text(f"#!{sys.executable}\n{source}")
    program.chmod(0o755)
    (home / "version.txt").write_text(f"1.2.0 ({'0' * 40})\n")
    (home / "calls.txt").write_text("")
    shutil.copytree(index, home / "index")
    isolate(monkeypatch, home / "index", tmp_path / "cache")
    monkeypatch.setenv("FAKE_SPACK_HOME", str(home))
    monkeypatch.setenv("FAKE_SPACK_WHEELS", str(root.parent / "built"))
    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
    toy = Toy(Workspace(tmp_path / "workspace"), home / "index")
    found = Site(toy, home, tmp_path / "store")
    found.fail()
    found.answer(PACKAGES)
    return found


def _run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_both_builders_make_the_same_packages_byte_for_byte(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "a" / "toy")
    wheels = site.toy.build(tmp_path / "b" / "toy")
    spack = verify(tmp_path / "a" / "toy")
    found = diff(wheels, spack)
    assert list(found.inputs) == ["builder"]
    assert found.packages == ()
    assert spack.lock_sha256 == wheels.lock_sha256
    assert spack.builder.tools["spack"] == f"1.2.0 {'0' * 40}"


def test_a_stack_made_by_spack_runs_without_the_store_and_names_no_place(
    site: Site, tmp_path: Path
) -> None:
    site.build(tmp_path / "toy")
    shutil.rmtree(site.store)
    moved = (tmp_path / "toy").rename(tmp_path / "moved")
    assert _run(moved / "bin" / "alpha") == "alpha 1"
    for path in read_manifest(moved).entries():
        file = moved / path
        if not file.is_symlink():
            assert str(site.store).encode() not in file.read_bytes(), path


def test_what_spack_did_to_a_binary_is_undone_from_the_wheel(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "toy")
    (stored,) = site.store.glob("linux-x86_64/py-toylib-*")
    assert b"/opt/builder" not in (stored / SITE / "toylib/_core.so").read_bytes()
    assert b"/opt/builder" in (tmp_path / "toy" / SITE / "toylib/_core.so").read_bytes()


def test_the_wheel_is_fetched_again_where_its_original_is_needed(
    site: Site, tmp_path: Path
) -> None:
    site.build(tmp_path / "one")
    shutil.rmtree(tmp_path / "cache" / "fiducial" / "spack" / "downloads")
    site.calls()
    site.build(tmp_path / "two")
    assert site.calls() == ["find", "fetch"]


def test_the_environment_of_the_build_is_its_own(site: Site, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in site.toy.workspace.root.rglob("*.yaml")}
    site.build(tmp_path / "toy", mirrors=(str(tmp_path), "https://mirror.invalid/spack"))
    assert {path: path.read_bytes() for path in site.toy.workspace.root.rglob("*.yaml")} == before
    (path,) = site.store.glob(".fiducial/environments/toy-*/spack.yaml")
    found = fake_spack.settings(path.parent)
    assert found["specs"] == ["fiducial@=main", "py-fiducial-beta@=0.1.0+extra"]
    assert found["include"] == [str(site.toy.workspace.environments / "common")]
    assert found["config"]["install_tree"]["root"] == str(site.store)
    assert found["packages"]["python"]["externals"][0]["prefix"] == sys.base_prefix
    urls = [row["url"] for row in found["mirrors"].values()]
    assert urls == [tmp_path.as_uri(), "https://mirror.invalid/spack"]
    assert not any(row["binary"] for row in found["mirrors"].values())
    source = Path(found["develop"]["py-fiducial-alpha"]["path"])
    assert source.is_relative_to(site.store)
    assert not (source / "tests").exists() and (source / "LICENSE").is_file()


def test_where_nothing_moved_spack_is_only_asked_for_its_version(
    site: Site, tmp_path: Path
) -> None:
    site.build(tmp_path / "toy")
    site.calls()
    inode = (tmp_path / "toy").stat().st_ino
    plan = site.plan(tmp_path / "toy")
    assert plan.fresh
    building.build(plan)
    assert site.calls() == [] and (tmp_path / "toy").stat().st_ino == inode


def test_a_warm_store_is_only_read(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "one")
    site.calls()
    site.build(tmp_path / "two")
    assert site.calls() == ["find"]
    assert read_manifest(tmp_path / "one") == read_manifest(tmp_path / "two")


def test_a_changed_component_is_another_package_and_the_old_one_stays(
    site: Site, tmp_path: Path
) -> None:
    site.build(tmp_path / "toy")
    before = read_manifest(tmp_path / "toy")
    site.toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 1", "BETA = 2")
    plan = site.plan(tmp_path / "toy")
    assert plan.reason == "components changed: beta"
    found = diff(before, building.build(plan))
    assert [(row.name, row.causes) for row in found.packages] == [("fiducial-beta", ("component",))]
    assert len(list(site.store.glob("linux-x86_64/py-fiducial-beta-*"))) == 2
    assert len(list(site.store.glob("linux-x86_64/py-fiducial-alpha-*"))) == 1
    site.toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 2", "BETA = 1")
    site.calls()
    site.build(tmp_path / "toy")
    assert site.calls() == ["find"]  # what was installed once is there
    assert read_manifest(tmp_path / "toy") == before


def test_another_recipe_or_spack_makes_the_stack_stale(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "toy")
    (site.home / "version.txt").write_text("1.3.0\n")
    assert site.plan(tmp_path / "toy").reason == "the builder's tools moved: spack"
    (site.home / "version.txt").write_text(f"1.2.0 ({'0' * 40})\n")
    assert site.plan(tmp_path / "toy").fresh
    site.toy.edit("spack-repo/spack_repo/fiducial_wheels/packages/py_toylib/package.py",
                  'depends_on("python")', 'depends_on("python", type="run")')  # fmt: skip
    assert site.plan(tmp_path / "toy").reason == "the rules of the spack builder moved"
    wheels = plan_build(Workspace(site.toy.workspace.root), "toy", tmp_path / "toy")
    assert wheels.reason is not None and wheels.reason.startswith("the builder is wheels")


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        ({"concretize": "no clingo"}, 3, ["cannot concretize toy", "install clingo"]),
        ({"concretize": "unsatisfiable"}, 2, ["cannot concretize toy", "py-toylib"]),
        ({"fetch": "no network"}, 3, ["cannot fetch the sources of toy", "mirror create"]),
        ({"fetch": "checksum"}, 3, ["cannot fetch the sources of toy", "Expected 0123"]),
        ({"install": "full disk"}, 3, ["cannot install toy", "free some space"]),
    ],
)
def test_each_failure_is_one_error_the_old_stack_stays_and_the_next_run_goes_on(
    site: Site, tmp_path: Path, faults: Mapping[str, str], code: int, words: list[str],
    toy_stack: Path,
) -> None:  # fmt: skip
    shutil.copytree(toy_stack, tmp_path / "toy", symlinks=True)
    old = verify(tmp_path / "toy")
    site.fail(**faults)
    with pytest.raises(SpackError) as caught:
        site.build(tmp_path / "toy")
    assert caught.value.exit_code == code
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert verify(tmp_path / "toy") == old
    site.fail()
    site.build(tmp_path / "toy")
    assert verify(tmp_path / "toy") != old
    assert {path.name for path in tmp_path.glob("*toy*")} == {"toy", ".toy.fiducial-lock"}


KILLED = """
import sys
from pathlib import Path
from fiducial.stack import build as building
from fiducial.stack.build_plan import plan_build
from fiducial.stack.builders import BuildSettings
from fiducial.stack.workspace import Workspace
root, prefix, store = map(Path, sys.argv[1:4])
building.build(plan_build(
    Workspace(root), "toy", prefix, builder="spack", settings=BuildSettings(store=store)))
"""


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        ({"concretize": "kill"}, ["concretize", "find", "fetch", "install", "find"]),
        ({"concretize": "kill after"}, ["find", "fetch", "install", "find"]),
        ({"find": "kill"}, ["find", "fetch", "install", "find"]),
        ({"fetch": "kill"}, ["find", "fetch", "install", "find"]),
        ({"install": "kill"}, ["find", "fetch", "install", "find"]),
        ({"install only": 2}, ["find", "fetch", "install", "find"]),
        ({"install": "kill after"}, ["find"]),
    ],
)
def test_a_build_killed_at_any_phase_goes_on_where_it_stopped(
    site: Site, tmp_path: Path, fault: dict[str, Any], again: list[str], toy_stack: Path
) -> None:
    shutil.copytree(toy_stack, tmp_path / "toy", symlinks=True)
    old = verify(tmp_path / "toy")
    site.fail(**fault)
    places = [str(site.toy.workspace.root), str(tmp_path / "toy"), str(site.store)]
    done = subprocess.run([sys.executable, "-c", KILLED, *places], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert verify(tmp_path / "toy") == old
    installed = len(list(site.store.glob("linux-x86_64/*/.spack")))
    site.fail()
    site.calls()
    site.build(tmp_path / "toy")
    assert site.calls() == again
    assert installed == fault.get("install only", 6 - 1 if again == ["find"] else 0)
    verify(tmp_path / "toy")
    assert {path.name for path in tmp_path.glob("*toy*")} == {"toy", ".toy.fiducial-lock"}


def test_a_damaged_concretization_is_made_anew(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "one")
    (lock,) = site.store.glob(".fiducial/environments/toy-*/spack.lock")
    lock.write_text(lock.read_text().replace('"0.1.0"', '"0.1.1"'))
    site.calls()
    site.build(tmp_path / "two")
    assert site.calls() == ["concretize", "find"]


def test_packages_that_are_no_wheels_are_refused_before_anything_is_installed(
    site: Site, tmp_path: Path
) -> None:
    extra = package("py-more", "2", "fiducial_wheels", "python")
    zlib = package("zlib", "1.3", "builtin", system="makefile")
    toylib = {**PACKAGES[2], "needs": ["zlib", "py-more"]}
    site.answer([zlib, *PACKAGES[:2], extra, toylib, *PACKAGES[3:]])
    with pytest.raises(Mistakes) as caught:
        site.build(tmp_path / "toy")
    text = str(caught.value)
    assert "zlib@1.3: is no Python wheel (builtin)" in text and "fiducial buildcache" in text
    assert "py-more@2: is not in the wheel lock" in text
    assert caught.value.exit_code == 2
    assert site.calls() == ["concretize"]


def test_an_environment_of_compiled_packages_alone_is_refused_with_the_way_to_carry_it(
    site: Site, tmp_path: Path
) -> None:
    (site.toy.workspace.environments / "toy" / "wheels.in").unlink()
    with pytest.raises(InputError, match=r"toy makes no stack .*fiducial buildcache"):
        site.plan(tmp_path / "toy")


def test_other_versions_than_the_lock_has_are_refused(site: Site, tmp_path: Path) -> None:
    site.answer([*PACKAGES[:2], {**PACKAGES[2], "namespace": "builtin"}, *PACKAGES[3:]])
    with pytest.raises(
        Mistakes, match=r"toylib: 1.0 is in the lock, Spack takes builtin.py-toylib"
    ):
        site.build(tmp_path / "toy")


def test_a_package_with_more_than_its_wheel_is_refused(site: Site, tmp_path: Path) -> None:
    site.build(tmp_path / "one")
    (stored,) = site.store.glob("linux-x86_64/py-toylib-*")
    (stored / "lib" / "libtoy.so").write_text("more")
    with pytest.raises(Mistakes, match=r"toylib has files that no wheel brought: lib/libtoy.so"):
        site.build(tmp_path / "two")


@pytest.mark.parametrize("victim", ["toylib/__init__.py", "toylib-1.0.dist-info/RECORD"])
def test_a_damaged_store_is_found(site: Site, tmp_path: Path, victim: str) -> None:
    site.build(tmp_path / "one")
    (stored,) = site.store.glob("linux-x86_64/py-toylib-*")
    (stored / SITE / victim).unlink()
    with pytest.raises(EnvironmentProblem, match="Spack's store lacks files of toylib"):
        site.build(tmp_path / "two")
    if victim.endswith(".py"):
        (stored / SITE / victim).write_text("VALUE = 2\n")
        with pytest.raises(
            EnvironmentProblem, match=r"(?s)store .* is damaged.*toylib: .*__init__"
        ):
            site.build(tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_recipes_that_are_not_those_of_the_lock_are_named_before_spack_starts(
    site: Site, tmp_path: Path
) -> None:
    path = "spack-repo/spack_repo/fiducial_wheels/packages/py_toylib/package.py"
    site.toy.edit(path, 'sha256="', 'sha256="00')
    with pytest.raises(
        Mistakes, match=r"py-toylib: its recipe installs another file.*\n.*recipes sync"
    ):
        site.plan(tmp_path / "toy")
    (site.toy.workspace.root / path).unlink()
    with pytest.raises(Mistakes, match="py-toylib: has no recipe"):
        site.plan(tmp_path / "toy")


def test_the_tests_of_the_packages_are_run_when_asked_for(site: Site, tmp_path: Path) -> None:
    site.fail(test="tests")
    with pytest.raises(StackError, match="cannot pass the tests of toy") as caught:
        site.build(tmp_path / "toy", test=True)
    assert caught.value.exit_code == 1 and not (tmp_path / "toy").exists()
    site.fail()
    site.calls()
    site.build(tmp_path / "toy", test=True)
    assert site.calls() == ["find", "test"]


def test_only_the_newest_environments_and_their_sources_are_kept(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "KEEP", 2)
    for number in (1, 2, 3):
        site.build(tmp_path / "toy")
        old, new = f"BETA = {number}", f"BETA = {number + 1}"
        site.toy.edit("components/beta/src/fiducial/beta/__init__.py", old, new)
    assert len(list(site.store.glob(".fiducial/environments/*"))) == 2
    assert len(list(site.store.glob(".fiducial/sources/fiducial-beta-*"))) == 2
    assert len(list(site.store.glob(".fiducial/sources/fiducial-alpha-*"))) == 1


def test_wrong_use_is_one_line_each(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(site.toy.workspace.root))
    out = ["build", "toy", "--out", str(tmp_path / "toy")]

    def say(*arguments: str, code: int) -> str:
        assert run([*out, *arguments]) == code
        return capsys.readouterr().err.strip()

    assert "no builder 'spak': did you mean spack?" in say("--builder", "spak", code=2)
    assert "--store means nothing to the wheel builder" in say("--store", "/s", code=2)
    spack = ["--builder", "spack"]
    assert "no mirror at" in say(*spack, "--mirror", str(tmp_path / "absent"), code=2)
    assert "--jobs 0 is no number" in say(*spack, "--jobs", "0", code=2)
    (site.home / "version.txt").write_text("0.23.1\n")
    assert "this Spack is too old" in say(*spack, code=3)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("SPACK_ROOT", raising=False)
    assert "no Spack found (none on PATH" in say(*spack, code=3)
    (site.toy.workspace.environments / "toy" / "spack.yaml").unlink()
    monkeypatch.setenv("PATH", f"{site.home / 'bin'}:{os.environ['PATH']}")
    (site.home / "version.txt").write_text("1.2.0\n")
    assert "toy is not made for Spack (it has no spack.yaml)" in say(*spack, code=2)
    assert not (tmp_path / "toy").exists() and not site.store.exists()


def test_a_builder_of_somebody_else_is_found_by_its_entry_point(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "outside"
    info = folder / "otherbuilder-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: otherbuilder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[fiducial.builders]\nother = otherbuilder:Other\nbroken = otherbuilder:Absent\n"
    )
    (folder / "otherbuilder.py").write_text(
        "from fiducial.stack.wheel_build import WheelBuilder\n\n\n"
        "class Other(WheelBuilder):\n    name = 'other'\n"
    )
    monkeypatch.syspath_prepend(folder)
    workspace = Workspace(site.toy.workspace.root)
    building.build(plan_build(workspace, "toy", tmp_path / "toy", builder="other"))
    assert verify(tmp_path / "toy").builder.name == "other"
    with pytest.raises(EnvironmentProblem, match="the builder 'broken' cannot be loaded"):
        plan_build(workspace, "toy", tmp_path / "toy", builder="broken")
    with pytest.raises(InputError, match="did you mean other"):
        plan_build(workspace, "toy", tmp_path / "toy", builder="othr")
