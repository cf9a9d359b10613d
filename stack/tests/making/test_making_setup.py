"""Setup scripts in real shells: from anywhere, strict, again and again, without a process."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from fiducial.stack.manifest import read_manifest

SH = {
    "sh": ["sh"],
    "bash": ["bash", "--norc"],
    "bash --posix": ["bash", "--norc", "--posix"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f"],
    "ksh": ["ksh"],
    "busybox": ["busybox", "sh"],
}
KNOWS_ITS_PLACE = ["bash", "bash --posix", "zsh", "ksh"]
NAMES = ("FIDUCIAL_STACK", "FIDUCIAL_PREFIX", "FIDUCIAL_LOCK_SHA256", "NUMBA_CACHE_DIR",
         "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONHOME", "PATH")  # fmt: skip


def run_shell(
    shell: list[str], code: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} on this machine")
    base = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"}
    return subprocess.run(
        [*shell, "-c", code], env={**base, **environment}, cwd=cwd, capture_output=True, text=True
    )


def settings_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    rows = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in rows if name in NAMES}


def expected_of(stack: Path) -> Mapping[str, str]:
    manifest = read_manifest(stack)
    return {
        "FIDUCIAL_STACK": manifest.stack,
        "FIDUCIAL_PREFIX": str(stack),
        "FIDUCIAL_LOCK_SHA256": manifest.lock_sha256,
        "NUMBA_CACHE_DIR": f"/home/somebody/.cache/fiducial/numba/{manifest.stack}",
        "PYTHONNOUSERSITE": "1",
        "PATH": f"{stack}/bin:/usr/bin:/bin",
    }


@pytest.mark.parametrize("name", KNOWS_ITS_PLACE)
def test_a_strict_shell_is_set_up_from_anywhere(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], f"set -eu; . '{stack_copy}/setup.sh'; env", Path("/"))
    assert settings_of(done) == expected_of(stack_copy)
    assert done.stderr == ""


@pytest.mark.parametrize("name", KNOWS_ITS_PLACE)
def test_a_relative_path_with_dots_is_made_absolute(name: str, stack_copy: Path) -> None:
    here = stack_copy / "etc" / "fiducial"
    done = run_shell(SH[name], "set -eu; . ./../..//setup.sh; cd /; env", here)
    assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", SH)
def test_a_shell_that_stands_in_the_stack_is_set_up(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], "set -eu; . ./setup.sh; env", stack_copy)
    assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", ["sh", "dash", "busybox"])
def test_a_shell_that_cannot_tell_the_place_takes_it_from_a_variable(
    name: str, stack_copy: Path
) -> None:
    code = f"set -eu; . '{stack_copy}/setup.sh'; env"
    done = run_shell(SH[name], code, Path("/"), FIDUCIAL_PREFIX=str(stack_copy))
    assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", ["dash", "busybox"])
@pytest.mark.parametrize("prefix", ["", "/opt/another-stack"])
def test_a_shell_that_cannot_tell_the_place_says_what_to_do(
    name: str, prefix: str, stack_copy: Path
) -> None:
    code = f". '{stack_copy}/setup.sh' || echo status $?; echo stack ${{FIDUCIAL_STACK-none}}"
    done = run_shell(SH[name], code, Path("/"), FIDUCIAL_PREFIX=prefix)
    assert "set FIDUCIAL_PREFIX to it" in done.stderr
    assert done.stdout.splitlines() == ["status 2", "stack none"]


@pytest.mark.parametrize("name", SH)
def test_sourcing_twice_changes_nothing_more(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], "set -eu; . ./setup.sh; . ./setup.sh; env", stack_copy)
    assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", KNOWS_ITS_PLACE)
def test_another_stack_takes_the_place_of_the_first(
    name: str, stack_copy: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(stack_copy, other, symlinks=True)
    code = f"set -eu; . '{stack_copy}/setup.sh'; . '{other}/setup.sh'; env"
    assert settings_of(run_shell(SH[name], code, Path("/"))) == expected_of(other)


@pytest.mark.parametrize("name", SH)
def test_what_would_mix_other_packages_in_is_unset_with_a_word(name: str, stack_copy: Path) -> None:
    done = run_shell(
        SH[name], "set -eu; . ./setup.sh; env", stack_copy, PYTHONPATH="/x", PYTHONHOME="/y"
    )
    assert settings_of(done) == expected_of(stack_copy)
    assert "they would mix other packages" in done.stderr


@pytest.mark.parametrize("name", SH)
def test_a_missing_interpreter_is_said_and_nothing_is_set(name: str, stack_copy: Path) -> None:
    (stack_copy / "bin" / "python").unlink()
    (stack_copy / "bin" / "python").symlink_to("/nowhere/python3")
    code = ". ./setup.sh || echo status $?; echo stack ${FIDUCIAL_STACK-none}"
    done = run_shell(SH[name], code, stack_copy)
    assert "bound to a Python that this host lacks" in done.stderr
    assert done.stdout.splitlines() == ["status 3", "stack none"]


@pytest.mark.parametrize("name", SH)
def test_a_users_own_kernel_cache_is_kept(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], ". ./setup.sh; env", stack_copy, NUMBA_CACHE_DIR="/fast/disk")
    assert settings_of(done)["NUMBA_CACHE_DIR"] == "/fast/disk"


@pytest.mark.parametrize("name", SH)
def test_no_helper_of_the_script_stays_behind(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], ". ./setup.sh; set", stack_copy)
    left = [row for row in done.stdout.splitlines() if row.startswith("_fiducial")]
    assert left == []


@pytest.mark.parametrize("name", SH)
def test_no_process_is_started(name: str, stack_copy: Path) -> None:
    """In a process namespace of its own the kernel counts every process ever started."""
    if shutil.which(SH[name][0]) is None:
        pytest.skip(f"no {SH[name][0]} on this machine")
    read = "read -r a b c d last < /proc/loadavg; echo $last"  # the last process of the namespace
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    probe = subprocess.run([*inside, "true"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("needs the right to make a process namespace")
    code = f"set -eu; {read}; . ./setup.sh; {read}"
    done = subprocess.run(
        [*inside, *SH[name], "-c", code], cwd=stack_copy, capture_output=True, text=True
    )
    before, after = done.stdout.split()
    assert before == after, done.stderr


def test_the_programs_of_the_stack_are_found_first(stack_copy: Path) -> None:
    done = run_shell(["bash"], "set -eu; . ./setup.sh; command -v alpha; alpha", stack_copy)
    assert done.stdout.splitlines() == [f"{stack_copy}/bin/alpha", "alpha 1"]


FISH = ["fish", "--no-config"]


@pytest.mark.parametrize("times", [1, 2])
def test_fish_is_set_up_from_anywhere(times: int, stack_copy: Path) -> None:
    code = f"source '{stack_copy}/setup.fish'; " * times + "env"
    done = run_shell(FISH, code, Path("/"), PYTHONPATH="/x")
    assert settings_of(done) == expected_of(stack_copy)
    assert done.stderr.count("they would mix other packages") == 1


def test_fish_says_that_the_interpreter_is_missing(stack_copy: Path) -> None:
    (stack_copy / "bin" / "python").unlink()
    code = "source ./setup.fish; or echo status $status; set -q FIDUCIAL_STACK; or echo none"
    done = run_shell(FISH, code, stack_copy)
    assert "bound to a Python that this host lacks" in done.stderr
    assert done.stdout.splitlines() == ["status 3", "none"]


CSH = {"tcsh": ["tcsh", "-f"], "csh": ["csh", "-f"]}


@pytest.mark.parametrize("name", CSH)
@pytest.mark.parametrize("times", [1, 2])
def test_csh_is_set_up_from_anywhere(name: str, times: int, stack_copy: Path) -> None:
    code = "source ./setup.csh; " * times + "env"
    done = run_shell(CSH[name], code, stack_copy, PYTHONPATH="/x")
    assert settings_of(done) == expected_of(stack_copy)
    assert done.stdout.count("they would mix other packages") == 1
    code = f"source '{stack_copy}/setup.csh'; " * times + "env"
    for place in ({"FIDUCIAL_PREFIX": str(stack_copy)}, {}):
        done = run_shell(CSH[name], code, Path("/"), **place)
        assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", CSH)
def test_csh_says_what_is_wrong_and_sets_nothing(name: str, stack_copy: Path) -> None:
    stray = shutil.copy(stack_copy / "setup.csh", stack_copy.parent / "setup.csh")
    code = f"source '{stray}'; if ( ! $?FIDUCIAL_STACK ) echo none"
    done = run_shell(CSH[name], code, Path("/"))
    assert "set FIDUCIAL_PREFIX to it" in done.stdout
    assert done.stdout.splitlines()[-1] == "none"
    (stack_copy / "bin" / "python").unlink()
    done = run_shell(CSH[name], code, stack_copy)
    assert "bound to a Python that this host lacks" in done.stdout
    assert done.stdout.splitlines()[-1] == "none"


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        (["bash", "--norc"], "set -eu; . '{stack}/setup.sh'; env"),
        (["dash"], "set -eu; cd '{stack}'; . ./setup.sh; env"),
        (["fish", "--no-config"], "source '{stack}/setup.fish'; env"),
        (["tcsh", "-f"], "cd '{stack}'; source setup.csh; env"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_without_a_home_no_cache_is_shared_with_other_users(
    shell: list[str], script: str, stack_copy: Path
) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} on this machine")
    command = [*shell, "-c", script.format(stack=stack_copy)]
    bare = ["env", "-i", "PATH=/usr/bin:/bin", *command]
    done = subprocess.run(bare, capture_output=True, text=True, cwd="/")
    found = settings_of(done)
    assert found["FIDUCIAL_PREFIX"] == str(stack_copy)
    cache = found.get("NUMBA_CACHE_DIR", "")  # fish makes a home of its own from the user database
    assert cache == "" or (
        shell[0] == "fish" and cache.startswith(pwd.getpwuid(os.getuid()).pw_dir)
    )
