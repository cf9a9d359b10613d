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


KNOWS_ARGUMENTS = [*KNOWS_ITS_PLACE, "busybox"]  # dash hands a sourced file none


@pytest.mark.parametrize("name", KNOWS_ARGUMENTS)
def test_the_packages_are_listed_and_nothing_is_set(name: str, stack_copy: Path) -> None:
    code = "set -eu; set > ../before; . ./setup.sh --list-packages; set > ../after"
    done = run_shell(SH[name], code, stack_copy)
    packages = [
        f"{package.name} {package.version}" for package in read_manifest(stack_copy).packages
    ]
    assert done.stdout.splitlines() == packages
    assert changes_between(stack_copy.parent) == set()


CHANGING = ("_=", "?=", "BASH_", "PIPESTATUS", "LINENO", "RANDOM", "SECONDS", "EPOCH", "SRANDOM",
            "_AST_FEATURES", "pipestatus", "funcstack")  # fmt: skip


def changes_between(folder: Path) -> set[str]:
    """Variables that differ in two listings of ``set``, but for those that always move."""
    before, after = (set((folder / name).read_text().splitlines()) for name in ("before", "after"))
    return {row for row in before ^ after if not row.startswith(CHANGING)}


@pytest.mark.parametrize("name", KNOWS_ARGUMENTS)
@pytest.mark.parametrize(
    ("options", "said"),
    [("--list-package", "--list-packages, --help"), ("-x", "knows no '-x'"), ("-r", "the name of"),
     ("-r other-1", "no release 'other-1' here"), ("-- word", "did you mean -r word?")],
)  # fmt: skip
def test_a_wrong_option_is_said_and_nothing_is_set(
    name: str, options: str, said: str, stack_copy: Path
) -> None:
    strict = "set -u" if name == "busybox" else "set -eu"  # busybox ends a strict shell itself
    code = f"{strict}; set > ../before; . ./setup.sh {options} || echo status $?; set > ../after"
    done = run_shell(SH[name], code, stack_copy)
    assert said in done.stderr
    assert done.stdout.splitlines() == ["status 2"]
    assert changes_between(stack_copy.parent) == set()


@pytest.mark.parametrize("name", KNOWS_ARGUMENTS)
def test_the_stack_that_is_asked_for_by_name_is_set_up(name: str, stack_copy: Path) -> None:
    code = f"set -eu; . ./setup.sh -r {read_manifest(stack_copy).stack}; env"
    assert settings_of(run_shell(SH[name], code, stack_copy)) == expected_of(stack_copy)


@pytest.mark.parametrize("name", SH)
def test_words_that_a_script_was_given_are_not_taken_for_options(
    name: str, stack_copy: Path
) -> None:
    job = stack_copy.parent / "job.sh"
    job.write_text('set -eu\n. ./setup.sh\nenv\n[ "$*" = "42 -r x" ]\n')
    code = f"{' '.join(SH[name])} {job} 42 -r x"
    done = run_shell(["sh"], code, stack_copy)
    assert settings_of(done) == expected_of(stack_copy)


@pytest.mark.parametrize("name", SH)
def test_options_that_a_script_was_given_are_kept_out_with_two_dashes(
    name: str, stack_copy: Path
) -> None:
    job = stack_copy.parent / "job.sh"
    job.write_text("set -eu\n. ./setup.sh --\nenv\n")
    code = f"{' '.join(SH[name])} {job} --events 42"
    assert settings_of(run_shell(["sh"], code, stack_copy)) == expected_of(stack_copy)


@pytest.mark.parametrize("name", SH)
def test_any_shell_lists_by_running_the_script(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], f"{' '.join(SH[name])} setup.sh --list-releases", stack_copy)
    assert done.stdout.split() == [read_manifest(stack_copy).stack]
    assert "source setup.sh" in run_shell(["sh"], "sh setup.sh --help", stack_copy).stdout


@pytest.mark.parametrize("name", KNOWS_ITS_PLACE)
def test_running_instead_of_sourcing_is_told(name: str, stack_copy: Path) -> None:
    done = run_shell(SH[name], f"{' '.join(SH[name])} setup.sh; echo status $?", stack_copy)
    assert "changes nothing in your shell: source it" in done.stderr
    assert done.stdout.split() == ["status", "2"]


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


def test_fish_takes_options(stack_copy: Path) -> None:
    stack = read_manifest(stack_copy).stack
    done = run_shell(FISH, "source setup.fish --list-packages; source setup.fish -r x", stack_copy)
    assert done.stdout.splitlines()[0].startswith("fiducial-alpha 0.1.0")
    assert "no release 'x' here" in done.stderr
    assert done.returncode == 2
    done = run_shell(FISH, "source setup.fish -y; echo $status; set -q FIDUCIAL_STACK", stack_copy)
    assert "knows no '-y'" in done.stderr
    assert (done.stdout.split(), done.returncode) == (["2"], 1)
    done = run_shell(FISH, f"source setup.fish -r {stack}; env", stack_copy)
    assert settings_of(done) == expected_of(stack_copy)


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


def test_tcsh_takes_options(stack_copy: Path) -> None:
    stack, tcsh = read_manifest(stack_copy).stack, ["tcsh", "-f"]
    done = run_shell(tcsh, "source setup.csh --list-packages; echo $?FIDUCIAL_STACK", stack_copy)
    assert done.stdout.splitlines()[0].startswith("fiducial-alpha 0.1.0")
    assert done.stdout.splitlines()[-1] == "0"
    for options, said in (("-y", "knows no '-y'"), ("-r x", "no release 'x' here")):
        code = f"source setup.csh {options}; echo status $status; echo $?FIDUCIAL_STACK; set"
        rows = run_shell(tcsh, code, stack_copy).stdout.splitlines()
        assert said in rows[0]
        assert rows[1:3] == ["status 2", "0"]
        assert not [row for row in rows[3:] if row.startswith("_fiducial")]
    done = run_shell(tcsh, f"source setup.csh -r {stack}; env", stack_copy)
    assert settings_of(done) == expected_of(stack_copy)


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
