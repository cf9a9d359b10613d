"""A committed Spack lock is fresh, or refused with all that moved (no Spack is needed to tell)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fiducial.stack.cli.app import run
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.spack.build_cache import find_concrete
from fiducial.stack.spack.concretize import lock_digest
from fiducial.stack.spack.pins import read_spack_pins
from fiducial.stack.spack.program import find_spack
from fiducial.stack.spack.spack_environment import load_spack_environment, lockable_names
from fiducial.stack.spack.spack_lock import (
    check_lock,
    make_lock,
    refuse_stale_lock,
    require_fresh_spack_lock,
)
from fiducial.stack.spack.wanted_sources import want
from fiducial.stack.workspace import Workspace

from .spack_lock_maker import Package, lock_bytes

FakeSpack = Callable[..., Path]
COMMIT = "9cf66332df3dd988248617fc93400045be59ebab"
RECIPE = """\
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class {cls}(PythonPackage):
    version("0.1.0", sha256="{sha256}")
"""
PACKAGES = {
    "toy": Package("py-toy", "0.1.0", namespace="fiducial", needs={"wheel": (), "pip": ()}),
    "wheel": Package("py-dep", "2.0", namespace="fiducial_wheels"),
    "pip": Package("py-pip", "26.1", namespace="builtin"),
}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two environments, one to be locked and one that installs from the checkout."""
    root = tmp_path / "workspace"
    places = root / "environments"
    (root / "components").mkdir(parents=True)
    write(
        places / "toy" / "spack.yaml",
        "spack:\n  include:\n  - {path: ../host, optional: true}\n  - ../common\n"
        "  specs: [py-toy]\n",
    )
    write(
        places / "nightly" / "spack.yaml",
        "spack:\n  include: [../common/checkout, ../common]\n  specs: [py-toy]\n",
    )
    write(
        places / "common" / "checkout" / "develop.yaml",
        "develop: {py-toy: {spec: py-toy@=0.1.0, path: ../x}}\n",
    )
    write(places / "common" / "packages.yaml", "packages: {all: {target: [x86_64]}}\n")
    write(places / "common" / "wheels.yaml", "format: 1\n")  # no section of Spack's
    host = places / "common" / "reference-host"
    write(host / "host.yaml", "platform: linux\nos: test1\n")
    write(
        host / "packages.yaml",
        "packages: {python: {externals: [{spec: python@3.11.2, prefix: /usr}]}}\n",
    )
    pin = {"commit": COMMIT, "reason": "tried"}
    write(places / "pins.yaml", yaml.safe_dump({"spack": {"spack": pin, "builtin": pin}}))
    ours = root / "spack-repo" / "spack_repo"
    for space, name, cls in (("fiducial", "py_toy", "PyToy"), ("fiducial_wheels", "py_dep", "D")):
        text = RECIPE.format(cls=cls, sha256="ab").replace(
            "0.1.0", "2.0" if cls == "D" else "0.1.0"
        )
        write(ours / space / "packages" / name / "package.py", text)
    builtin = tmp_path / "builtin"
    write(builtin / "packages" / "py_pip" / "package.py", "class PyPip:\n    pass\n")
    write(builtin / "build_systems" / "python.py", "")
    return Workspace(root)


@pytest.fixture
def spack(
    workspace: Workspace, fake_spack: FakeSpack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FakeSpack:
    """Spack that concretizes anything to ``packages``, and whose recipes are at the commit."""
    monkeypatch.setattr(
        "fiducial.stack.spack.spack_lock.git_commit", lambda folder: COMMIT, raising=True
    )

    def use(packages: dict[str, Package] = PACKAGES) -> Path:
        answer = tmp_path / "answer.lock"
        answer.write_bytes(lock_bytes(packages, ["toy"]))
        return fake_spack(
            "where = sys.argv[sys.argv.index('-e') + 1] if '-e' in sys.argv else ''\n"
            "if arguments[0] == 'location':\n"
            f"    print({str(tmp_path / 'builtin')!r})\n"
            "elif arguments[0] == 'concretize' and not os.path.exists(where + '/spack.lock'):\n"
            f"    open(where + '/spack.lock', 'w').write(open({str(answer)!r}).read())\n"
        )

    return use


@pytest.fixture
def locked(workspace: Workspace, spack: FakeSpack) -> Workspace:
    """The workspace with its lock made."""
    spack()
    make_lock(workspace, "toy", find_spack()).write()
    return workspace


def edit(workspace: Workspace, path: str, old: str, new: str) -> None:
    file = workspace.root / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


TOY = "spack-repo/spack_repo/fiducial/packages/py_toy/package.py"
DEP = "spack-repo/spack_repo/fiducial_wheels/packages/py_dep/package.py"
BESIDE = "environments/toy/spack.lock.inputs.yaml"
RELEASED = ('    version("0.1.0"', '    version("0.2.0", sha256="x")\n    version("0.1.0"')
HOST = "environments/common/reference-host"
MOVES = {
    "a spec": ("environments/toy/spack.yaml", "[py-toy]", "[py-dep]", "toy/spack.yaml: changed"),
    "an include": ("environments/common/packages.yaml", "x86_64", "zen4", "packages.yaml: changed"),
    "a place of the host": (f"{HOST}/packages.yaml", "/usr", "/opt", "host/packages.yaml: changed"),
    "the host": (f"{HOST}/host.yaml", "test1", "test2", "reference-host/host.yaml: changed"),
    "a recipe": (TOY, '"ab"', '"cd"', "fiducial py-toy@0.1.0: changed"),
    "a wheel": (DEP, '"ab"', '"cd"', "fiducial_wheels py-dep@2.0: changed"),
    "a version that went": (TOY, "0.1.0", "0.3.0", "no such version (it has 0.3.0)"),
    "a release": (TOY, *RELEASED, "0.2.0 has been released since"),
    "a pin": ("environments/pins.yaml", COMMIT, "a" * 40, "pins.yaml names aaaaaaaaaaaa"),
    "the inputs": (BESIDE, "  py-dep@2.0: ", "  py-dep@2.1: ", ".py-dep@2.0: has no digest"),
}  # fmt: skip


def test_a_lock_that_was_just_made_is_fresh(locked: Workspace) -> None:
    lock = check_lock(locked, "toy", find_spack())
    assert {node.name for node in lock.nodes.values()} == {"py-toy", "py-dep", "py-pip"}
    assert require_fresh_spack_lock(locked, "toy").sha256 == lock.sha256


def test_the_lock_is_the_same_wherever_the_checkout_lies(locked: Workspace, tmp_path: Path) -> None:
    folder = locked.environments / "toy"
    before = [(folder / name).read_bytes() for name in ("spack.lock", "spack.lock.inputs.yaml")]
    other = Workspace(tmp_path / "elsewhere" / "checkout")
    shutil.copytree(locked.root, other.root)
    made = make_lock(other, "toy", find_spack())
    assert [made.data, made.inputs.encode()] == before
    assert str(tmp_path).encode() not in b"".join(before)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_what_moved_is_named(locked: Workspace, move: tuple[str, str, str, str]) -> None:
    path, old, new, said = move
    edit(locked, path, old, new)
    with pytest.raises(InputError) as caught:
        require_fresh_spack_lock(locked, "toy")
    assert said in str(caught.value)
    assert "renew it with: fiducial lock toy --builder spack" in str(caught.value)


def test_all_that_moved_is_told_at_once(locked: Workspace) -> None:
    edit(locked, TOY, '"ab"', '"cd"')
    edit(locked, DEP, '"ab"', '"cd"')
    edit(locked, "environments/toy/spack.yaml", "[py-toy]", "[py-dep]")
    with pytest.raises(Mistakes) as caught:
        check_lock(locked, "toy")
    assert len(caught.value.mistakes) == 3


def test_comments_and_what_the_host_says_move_nothing(locked: Workspace) -> None:
    edit(locked, "environments/toy/spack.yaml", "spack:\n", "# a comment\nspack:\n")
    edit(locked, TOY, "class PyToy", "# a comment\nclass PyToy")
    write(locked.environments / "host" / "packages.yaml", "packages: {gcc: {}}\n")
    check_lock(locked, "toy", find_spack())


def test_builtins_recipes_count_where_spack_is_at_hand(locked: Workspace, tmp_path: Path) -> None:
    write(tmp_path / "builtin" / "packages" / "py_pip" / "fix.patch", "+")
    write(tmp_path / "builtin" / "build_systems" / "python.py", "changed = True\n")
    check_lock(locked, "toy")
    with pytest.raises(Mistakes) as caught:
        check_lock(locked, "toy", find_spack())
    assert [mistake.where for mistake in caught.value.mistakes] == [
        "builtin py-pip@26.1",
        "builtin build system python",
    ]


def test_another_order_of_the_roots_is_the_same_lock_and_another_root_is_not() -> None:
    packages = dict(PACKAGES)
    document = json.loads(lock_bytes(packages, ["toy", "wheel"]))
    turned = {**document, "roots": document["roots"][::-1], "spack": {"version": "1.9"}}
    fewer = {**document, "roots": document["roots"][:1]}
    first, second, third = (
        lock_digest(json.dumps(row).encode()) for row in (document, turned, fewer)
    )
    assert first == second != third


def test_an_edited_lock_is_refused(locked: Workspace) -> None:
    lock = locked.environments / "toy" / "spack.lock"
    text = lock.read_text()
    lock.write_text(text.replace('"version": "2.0"', '"version": "2.1"'))
    with pytest.raises(InputError, match="its content gives"):
        require_fresh_spack_lock(locked, "toy")
    lock.write_text(text.replace('"spec": "py-toy"', '"spec": "py-toy@0.1.0"'))
    with pytest.raises(InputError, match=r"is not the lock that spack\.lock\.inputs\.yaml is for"):
        require_fresh_spack_lock(locked, "toy")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("spack.lock", "no lock at"),
        ("spack.lock.inputs.yaml", "no spack.lock.inputs.yaml beside the lock"),
    ],
)
def test_each_file_needs_the_other(locked: Workspace, name: str, said: str) -> None:
    (locked.environments / "toy" / name).unlink()
    with pytest.raises(InputError, match=said):
        require_fresh_spack_lock(locked, "toy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "has format 'list'"),
        ("format: 2", "has format 2"),
        ("format: 1\nrecipes: {a: 1}", "lock_sha256: is missing"),
        ("format: 1\n  x: [", "not readable YAML"),
    ],
)
def test_damaged_inputs_are_refused(locked: Workspace, text: str, said: str) -> None:
    (locked.root / BESIDE).write_text(text)
    with pytest.raises(InputError) as caught:
        check_lock(locked, "toy")
    assert said in str(caught.value)


def test_another_spack_than_the_pinned_one_makes_no_lock(
    workspace: Workspace, spack: FakeSpack
) -> None:
    spack()
    edit(workspace, "environments/pins.yaml", COMMIT, "b" * 40)
    with pytest.raises(InputError, match=r"builtin is at 9cf66.*pins\.yaml names bbb") as caught:
        make_lock(workspace, "toy", find_spack())
    assert "spack is at 9cf66" in str(caught.value)


def test_a_lock_of_another_host_is_refused(workspace: Workspace, spack: FakeSpack) -> None:
    packages = {**PACKAGES, "pip": Package("openssl", "3", external="/usr")}
    spack(packages)
    with pytest.raises(EnvironmentProblem, match="openssl@3 at /usr is this host's own"):
        make_lock(workspace, "toy", find_spack())
    edit(workspace, "environments/common/reference-host/host.yaml", "test1", "debian12")
    with pytest.raises(EnvironmentProblem, match="is for linux test1, not for linux debian12"):
        make_lock(workspace, "toy", find_spack())


def test_what_installs_from_the_checkout_has_no_lock(
    workspace: Workspace, spack: FakeSpack
) -> None:
    spack()
    assert lockable_names(workspace) == ["toy"]
    for answer in (lambda: make_lock(workspace, "nightly", find_spack()),
                   lambda: check_lock(workspace, "nightly")):  # fmt: skip
        with pytest.raises(InputError, match=r"nightly has no lock .*whose path is in the hashes"):
            answer()


def test_mirrors_and_build_caches_refuse_a_stale_lock_but_not_a_sites_own(
    locked: Workspace,
) -> None:
    folder = locked.environments / "toy"
    refuse_stale_lock(locked, folder)
    edit(locked, TOY, '"ab"', '"cd"')
    for answer in (lambda: refuse_stale_lock(locked, folder),
                   lambda: want(locked, "toy", ("spack",)),
                   lambda: find_concrete(locked, "toy")):  # fmt: skip
        with pytest.raises(InputError, match="the Spack lock of toy is stale"):
            answer()
    document = json.loads((folder / "spack.lock").read_bytes())
    document["roots"][0]["spec"] = "py-toy@0.1.0"
    (folder / "spack.lock").write_text(json.dumps(document))
    refuse_stale_lock(locked, folder)


def test_a_failed_run_leaves_the_lock_that_is_there(
    locked: Workspace, fake_spack: FakeSpack
) -> None:
    before = (locked.environments / "toy" / "spack.lock").read_bytes()
    fake_spack(
        "if arguments[0] == 'location':\n    print('/nowhere')\nelse:\n"
        "    die('failed to concretize `py-toy` for the following reasons:')\n"
    )
    with pytest.raises(InputError, match=r"cannot concretize toy .*cannot be concretized together"):
        make_lock(locked, "toy", find_spack())
    assert (locked.environments / "toy" / "spack.lock").read_bytes() == before


def test_mistakes_of_a_definition_are_told_at_once(workspace: Workspace) -> None:
    path = workspace.environments / "toy" / "spack.yaml"
    path.write_text("spack:\n  include: [../common/pakages.yaml, '$HOME/x', https://x/y.yaml]\n")
    write(workspace.environments / "common" / "reference-host" / "config.yaml", "a: [\n")
    with pytest.raises(Mistakes) as caught:
        load_spack_environment(workspace, "toy")
    text = str(caught.value)
    assert len(caught.value.mistakes) == 4 and "did you mean packages.yaml" in text
    with pytest.raises(InputError, match="did you mean toy"):
        load_spack_environment(workspace, "toi")


def test_only_sections_that_spack_reads_belong_to_a_folder(workspace: Workspace) -> None:
    content = load_spack_environment(workspace, "toy").content
    assert set(content) == {
        "environments/toy/spack.yaml",
        "environments/common/packages.yaml",
        "environments/common/reference-host/host.yaml",
        "environments/common/reference-host/packages.yaml",
    }


def test_mistakes_of_the_pins_are_told_at_once(workspace: Workspace) -> None:
    write(
        workspace.environments / "pins.yaml",
        "spack: {spack: {commit: main}, bultin: {commit: x, reason: y}}\n",
    )
    with pytest.raises(Mistakes) as caught:
        read_spack_pins(workspace)
    text = str(caught.value)
    assert len(caught.value.mistakes) == 4 and "did you mean builtin?" in text


def test_the_command_checks_and_renews(
    locked: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(locked.root))
    assert run(["lock", "--all", "--builder", "spack", "--check"]) == 0
    assert "toy: the Spack lock is fresh (3 packages)" in capsys.readouterr().out
    edit(locked, TOY, '"ab"', '"cd"')
    assert run(["lock", "toy", "--builder", "spack", "--check"]) == 1
    said = capsys.readouterr()
    assert "fiducial py-toy@0.1.0: changed" in said.out
    assert "renew with: fiducial lock toy --builder spack" in said.err
    assert run(["lock", "toy", "--builder", "spack", "--dry-run"]) == 0
    assert "would write a lock of 3 packages" in capsys.readouterr().out
    assert run(["lock", "--all", "--builder", "spack", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["environment"], record["fresh"], record["written"]) == ("toy", False, True)
    check_lock(locked, "toy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--builder", "spak"], "did you mean spack?"),
        (["toy", "--all"], "--all and toy at once"),
        (["toy", "--builder", "spack", "--upgrade"], "--upgrade is for wheels"),
        (["nightly", "--builder", "spack", "--check"], "nightly has no lock"),
    ],
)
def test_wrong_use_is_refused(
    workspace: Workspace,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(workspace.root))
    assert run(["lock", *words]) == 2
    assert said in capsys.readouterr().err


def test_an_interrupt_ends_every_spack_and_keeps_the_locks_that_are_made(
    workspace: Workspace, spack: FakeSpack, tmp_path: Path
) -> None:
    program = spack()
    for name in ("a-first", "slow-one", "slow-two"):
        shutil.copytree(workspace.environments / "toy", workspace.environments / name)
    started = tmp_path / "started"
    program.write_text(
        program.read_text() + f"if 'slow' in where and arguments[0] == 'concretize':\n"
        f"    open({str(started)!r}, 'a').write(str(os.getpid()) + ' ')\n"
        "    time.sleep(60)\n"
    )
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import fiducial.stack.spack.spack_lock as lock\n"
        f"lock.git_commit = lambda folder: {COMMIT!r}\n"
        "from fiducial.stack.cli.app import run\n"
        "raise SystemExit(run(['lock', '--all', '--builder', 'spack']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "FIDUCIAL_WORKSPACE": str(workspace.root)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    workers = min(2, os.cpu_count() or 1)
    while not (started.exists() and len(started.read_text().split()) == workers):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    assert not [pid for pid in started.read_text().split() if Path("/proc", pid).exists()]
    assert (workspace.environments / "a-first" / "spack.lock").exists()
    assert not (workspace.environments / "slow-one" / "spack.lock").exists()
