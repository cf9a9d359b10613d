"""The wheel builder: complete, reproducible, relocatable, and never half-made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fiducial.stack import build as building
from fiducial.stack.build_plan import plan_build
from fiducial.stack.diff import diff
from fiducial.stack.environment import load_environment
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.files import ASIDE
from fiducial.stack.interpreter import bind_interpreter, find_build_python, inspect_python
from fiducial.stack.lockfile import read_lock
from fiducial.stack.manifest import File, read_manifest
from fiducial.stack.verify import verify, walk
from fiducial.stack.wheel_choice import choose_wheels, libc_of_host, platform_of
from fiducial.stack.workspace import Workspace

from .conftest import MINOR, Toy, make_wheel

BESIDE = [".toy.fiducial-lock", "toy"]
SITE = f"lib/python{MINOR}/site-packages"


def _run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def copy_of(stack: Path, prefix: Path) -> Path:
    """A copy of a built stack at ``prefix``: stacks are relocatable."""
    return Path(shutil.copytree(stack, prefix, symlinks=True))


def test_a_built_stack_holds_what_the_lock_and_the_sources_say(toy: Toy, toy_stack: Path) -> None:
    manifest = verify(toy_stack)
    lock = read_lock(toy.workspace.environments / "toy" / "wheels.lock")
    assert manifest.lock_sha256 == lock.sha256
    rows = {
        package.name: (package.version, package.kind, package.licence, package.requires)
        for package in manifest.packages
    }
    assert rows == {
        "fiducial-alpha": ("0.1.0", "component", "Apache-2.0", ("toylib",)),
        "fiducial-beta": ("0.1.0", "component", "Apache-2.0", ("fiducial-alpha",)),
        "toylib": ("1.0", "wheel", "MIT", ()),
    }
    wheel = manifest.package("toylib")
    assert wheel is not None
    assert wheel.source_sha256 in lock.packages[0].wheels
    tag = sys.implementation.cache_tag
    assert f"{SITE}/toylib/__pycache__/__init__.{tag}.pyc" in wheel.files


def test_its_programs_run_with_nothing_of_the_callers_environment(toy_stack: Path) -> None:
    assert _run(toy_stack / "bin" / "alpha") == "alpha 1"
    code = "import sys, fiducial.beta; print(sys.prefix, fiducial.beta.__file__)"
    assert _run(toy_stack / "bin" / "python", "-c", code) == (
        f"{toy_stack} {toy_stack}/{SITE}/fiducial/beta/__init__.py"
    )


def test_a_moved_stack_works_and_is_what_its_manifest_says(stack_copy: Path) -> None:
    assert " " in stack_copy.name
    assert _run(stack_copy / "bin" / "alpha") == "alpha 1"
    link = stack_copy.parent / "link to alpha"
    link.symlink_to(stack_copy / "bin" / "alpha")
    assert _run(link) == "alpha 1"
    assert _run(stack_copy / "bin" / "python", "-c", "import sys; print(sys.prefix)") == str(
        stack_copy
    )
    verify(stack_copy)  # and running it wrote nothing into it


def test_no_file_names_a_place_of_this_machine(
    toy_files: tuple[Path, Path], toy_stack: Path
) -> None:
    manifest = read_manifest(toy_stack)
    places = [str(toy_stack), str(toy_files[0].parent), ASIDE, str(Path.home()), sys.base_prefix]
    for path in manifest.entries():
        file = toy_stack / path
        if file.is_symlink():
            assert not os.readlink(file).startswith("/")  # noqa: PTH115
            continue
        data = file.read_bytes()
        assert [place for place in places if place.encode() in data] == [], path


def test_the_same_inputs_give_the_same_manifest_byte_for_byte(
    toy: Toy, toy_stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_CACHE_DIR", str(tmp_path / "empty cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty uv cache"))
    old = os.umask(0o077)
    try:
        manifest = toy.build(tmp_path / "another place" / "toy")
    finally:
        os.umask(old)
    assert manifest.to_bytes() == (toy_stack / "manifest.json").read_bytes()


def test_files_are_the_stacks_own_and_not_shared_with_a_cache(toy_stack: Path) -> None:
    links = [path for path in walk(toy_stack) if (toy_stack / path).lstat().st_nlink > 1]
    assert links == []


def test_nothing_is_built_where_nothing_moved(toy: Toy, tmp_path: Path, toy_stack: Path) -> None:
    prefix = copy_of(toy_stack, tmp_path / "toy")
    inode = prefix.stat().st_ino
    plan = plan_build(Workspace(toy.workspace.root), "toy", prefix)
    assert plan.fresh
    building.build(plan)
    assert prefix.stat().st_ino == inode


def test_a_missing_or_altered_file_makes_the_stack_stale(
    toy: Toy, tmp_path: Path, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "toy")
    victim = prefix / SITE / "toylib" / "__init__.py"
    victim.unlink()
    plan = plan_build(Workspace(toy.workspace.root), "toy", prefix)
    assert plan.reason == f"{SITE}/toylib/__init__.py is missing"
    building.build(plan)
    verify(prefix)


def test_a_changed_component_changes_only_its_own_package(
    toy: Toy, tmp_path: Path, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "toy")
    before = read_manifest(prefix)
    toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 1", "BETA = 2")
    plan = plan_build(Workspace(toy.workspace.root), "toy", prefix)
    assert plan.reason == "components changed: beta"
    found = diff(before, building.build(plan))
    assert [(change.name, change.causes) for change in found.packages] == [
        ("fiducial-beta", ("component",))
    ]
    assert _run(prefix / "bin" / "python", "-c", "import fiducial.beta as b; print(b.BETA)") == "2"
    fresh = toy.build(tmp_path / "from nothing")  # what was taken over is what a new build makes
    assert fresh.to_bytes() == (prefix / "manifest.json").read_bytes()


def test_compiled_files_altered_in_the_old_stack_are_not_taken_over(
    toy: Toy, tmp_path: Path, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "toy")
    before = read_manifest(prefix)
    name = f"{SITE}/toylib/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    (prefix / name).write_bytes((prefix / name).read_bytes()[:-1] + b"!")
    toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 1", "BETA = 2")
    after = toy.build(prefix)
    assert after.entries()[name] == before.entries()[name]
    verify(prefix)


KILL = """
import os, signal, sys
from pathlib import Path
import fiducial.stack.build as building, fiducial.stack.files as files
import fiducial.stack.wheel_build as wheel_build
from fiducial.stack.build_plan import plan_build
from fiducial.stack.workspace import Workspace
module, name, when = sys.argv[3].split(":")
home = {"build": building, "files": files, "wheel_build": wheel_build}[module]
original = getattr(home, name)
def killed(*arguments, **options):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(home, name, killed)
building.build(plan_build(Workspace(Path(sys.argv[1])), "toy", Path(sys.argv[2])))
"""


@pytest.mark.parametrize(
    "point",
    [
        "wheel_build:build_wheels:before",
        "wheel_build:_install:before",
        "wheel_build:_install:after",
        "build:compile_sources:after",
        "build:write_setup:after",
        "build:write_manifest:before",
        "build:write_manifest:after",
        "build:replace_directory:before",
        "files:_exchange:after",
        "files:remove_tree:before",
        "build:replace_directory:after",
    ],
)
def test_a_build_killed_anywhere_leaves_a_good_stack_and_the_next_one_recovers(
    toy: Toy, tmp_path: Path, point: str, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "stacks" / "toy")
    toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 1", "BETA = 2")
    command = [sys.executable, "-c", KILL, str(toy.workspace.root), str(prefix), point]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    verify(prefix)
    code = "import fiducial.beta as b; print(b.BETA)"
    exchanged = point in ("files:_exchange:after", "build:replace_directory:after") or (
        point == "files:remove_tree:before"
    )
    assert _run(prefix / "bin" / "python", "-c", code) == ("2" if exchanged else "1")
    toy.edit("components/beta/src/fiducial/beta/__init__.py", "BETA = 2", "BETA = 3")
    toy.build(prefix)
    verify(prefix)
    assert _run(prefix / "bin" / "python", "-c", code) == "3"
    assert sorted(path.name for path in prefix.parent.iterdir()) == BESIDE


def test_without_a_kernel_exchange_a_killed_swap_is_put_back(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "stacks" / "toy")
    prefix.rename(prefix.parent / ".toy.fiducial-old")  # where such a swap is killed half-way
    monkeypatch.setattr("fiducial.stack.files._exchange", lambda first, second: False)
    toy.build(prefix)
    verify(prefix)
    assert sorted(path.name for path in prefix.parent.iterdir()) == BESIDE


def test_a_full_disk_ends_the_build_with_exit_3_and_leaves_nothing(
    toy: Toy, tmp_path: Path
) -> None:
    small = tmp_path / "small disk"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        toy.build(small / "toy")
        before = (small / "toy" / "manifest.json").read_bytes()
        make_wheel(toy.index, "large", "1.0", {f"large/m{i}.py": "#" * 40000 for i in range(60)})
        toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nlarge")
        toy.lock()
        with pytest.raises(EnvironmentProblem, match="no space left") as caught:
            toy.build(small / "toy")
        assert caught.value.exit_code == 3
        assert sorted(path.name for path in small.iterdir()) == BESIDE
        assert (small / "toy" / "manifest.json").read_bytes() == before
        verify(small / "toy")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_two_builds_at_once_both_end_with_a_good_stack(toy: Toy, tmp_path: Path) -> None:
    prefix = tmp_path / "toy"
    failures: list[BaseException] = []

    def work() -> None:
        try:
            toy.build(prefix)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verify(prefix)


def test_what_is_not_a_stack_is_never_replaced(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="not a stack"):
        toy.build(tmp_path / "home")
    assert (tmp_path / "home" / "thesis.tex").read_text() == "precious"


def test_a_stale_lock_is_not_built(toy: Toy, tmp_path: Path) -> None:
    toy.edit("components/alpha/pyproject.toml", "toylib>=1", "toylib>=1,<9")
    with pytest.raises(InputError, match="stale"):
        toy.build(tmp_path / "toy")
    assert not (tmp_path / "toy").exists()


def test_a_file_that_is_not_what_its_wheel_states_is_found(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = building.normalise

    def damage(stage: Path, minor: str) -> None:
        (stage / SITE / "toylib" / "__init__.py").write_text("VALUE = 666\n")
        original(stage, minor)

    monkeypatch.setattr(building, "normalise", damage)
    with pytest.raises(EnvironmentProblem, match=r"toylib: .*toylib/__init__\.py"):
        toy.build(tmp_path / "toy")
    assert not (tmp_path / "toy").exists()


def test_two_packages_with_one_path_are_refused_by_name(toy: Toy, tmp_path: Path) -> None:
    make_wheel(toy.index, "rival", "1.0", {"toylib/__init__.py": "VALUE = 2\n"})
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nrival")
    toy.lock()
    with pytest.raises(Mistakes, match="rival, toylib bring different files"):
        toy.build(tmp_path / "toy")


def test_packages_without_a_wheel_for_this_platform_are_named_before_any_download(
    toy: Toy, tmp_path: Path
) -> None:
    wheel = make_wheel(toy.index, "exotic", "1.0", {"exotic.py": ""})
    wheel.rename(wheel.with_name("exotic-1.0-cp311-cp311-win_arm64.whl"))
    toy.edit("environments/toy/wheels.in", "fiducial-beta", "fiducial-beta\nexotic")
    toy.lock()
    with pytest.raises(Mistakes, match=r"exotic 1\.0: no wheel for CPython .* win_arm64"):
        plan_build(Workspace(toy.workspace.root), "toy", tmp_path / "toy")


def test_the_real_base_lock_has_one_wheel_a_package_for_the_oldest_c_library() -> None:
    workspace = Workspace(Path(__file__).parents[3])
    environment = load_environment(workspace, "base")
    python = inspect_python()
    if python.minor != environment.resolve_for or libc_of_host() is None:
        pytest.skip(f"the base environment is made for CPython {environment.resolve_for} and glibc")
    chosen = choose_wheels(read_lock(environment.lock_path), python, environment.glibc)
    assert len(chosen) > 50
    assert len({wheel.package.name for wheel in chosen}) == len(chosen)
    assert platform_of(chosen).libc == f"glibc >= {environment.glibc}"


def test_a_bundled_interpreter_needs_no_python_on_the_host(toy: Toy, tmp_path: Path) -> None:
    manifest = toy.build(tmp_path / "toy", "bundled")
    assert manifest.interpreter.bound == ()
    assert not (tmp_path / "toy" / "pyvenv.cfg").exists()
    package = manifest.package("cpython")
    assert package is not None
    assert package.kind == "interpreter"
    moved = (tmp_path / "toy").rename(tmp_path / "moved away")
    code = (
        "import json, ssl, sqlite3, sys, sysconfig; print(json.dumps([sys.prefix, "
        "sys.base_prefix, sys.executable, *sys.path[1:], *sysconfig.get_paths().values(), "
        "sysconfig.get_config_var('LIBDIR')]))"
    )
    for path in json.loads(_run(moved / "bin" / "python", "-s", "-c", code)):
        assert path.startswith(str(moved))
    maps = (
        "for row in open('/proc/self/maps'):\n"
        " if 'python' in row: print(row.split(None, 5)[5].strip())"
    )
    if Path("/proc/self/maps").exists():
        mapped = _run(moved / "bin" / "python", "-c", maps).splitlines()
        assert mapped
        assert all(path.startswith(str(moved)) for path in mapped)
    assert _run(moved / "bin" / "alpha") == "alpha 1"
    verify(moved)
    for path, entry in manifest.entries().items():
        if isinstance(entry, File) and not path.endswith(".so") and "libpython" not in path:
            data = (moved / path).read_bytes()
            if data[:4] != b"\x7fELF":
                assert sys.base_prefix.encode() not in data, path


def test_the_python_to_build_with_is_this_one_where_the_lock_allows_it() -> None:
    assert find_build_python(">=3.11", "3.11").minor == MINOR
    with pytest.raises(InputError, match=r"the lock is for >=3\.99"):
        find_build_python(">=3.99", "3.99", sys.executable)
    with pytest.raises(EnvironmentProblem, match=r"no CPython 3\.99 on this host"):
        find_build_python(">=3.99", "3.99")
    with pytest.raises(EnvironmentProblem, match="no Python 'python-of-nobody'"):
        find_build_python(">=3.11", "3.11", "python-of-nobody")
    with pytest.raises(EnvironmentProblem, match="does not answer as a Python"):
        find_build_python(">=3.11", "3.11", shutil.which("true"))


def test_a_python_that_cannot_be_moved_is_refused_and_nothing_is_left(
    toy: Toy, tmp_path: Path
) -> None:
    debian = Path("/usr/bin/python3")
    if not debian.exists() or not Path("/usr/lib/python3/dist-packages").exists():
        pytest.skip("needs a Python of Debian's")
    if inspect_python(debian).minor not in ("3.11", "3.12", "3.13"):
        pytest.skip("Debian's Python is not one that the lock is for")
    plan = plan_build(Workspace(toy.workspace.root), "toy", tmp_path / "toy", "bundled", debian)
    with pytest.raises(EnvironmentProblem, match="cannot be bundled"):
        building.build(plan)
    assert not (tmp_path / "toy").exists()


def test_a_stack_bound_elsewhere_is_bound_anew_and_not_built(
    toy: Toy, tmp_path: Path, toy_stack: Path
) -> None:
    prefix = copy_of(toy_stack, tmp_path / "toy")
    other = tmp_path / "other-python"
    other.symlink_to(inspect_python().executable)
    (prefix / "bin" / "python").unlink()
    (prefix / "bin" / "python").symlink_to(other)
    inode = prefix.stat().st_ino
    plan = plan_build(Workspace(toy.workspace.root), "toy", prefix)
    assert plan.fresh
    building.build(plan)
    assert os.readlink(prefix / "bin" / "python") == inspect_python().executable  # noqa: PTH115
    assert prefix.stat().st_ino == inode


def test_binding_to_another_python_touches_no_file_of_the_manifest(stack_copy: Path) -> None:
    python = inspect_python()
    (stack_copy / "bin" / "python").unlink()
    (stack_copy / "pyvenv.cfg").unlink()
    assert set(bind_interpreter(stack_copy, python)) == {"bin/python", "pyvenv.cfg"}
    verify(stack_copy)
    assert _run(stack_copy / "bin" / "alpha") == "alpha 1"
