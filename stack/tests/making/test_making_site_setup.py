"""The selector of an area in real shells: releases, channels, what is in the way, and modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fiducial.stack.modulefiles import modulefile_path
from fiducial.stack.setup_scripts import write_setup
from fiducial.stack.site_setup import install_site, point, write_selector

OLD, NEW = "base-0123456789ab", "base-ba9876543210"
SH = {
    "bash": ["bash", "--norc"], "bash --posix": ["bash", "--norc", "--posix"], "zsh": ["zsh", "-f"],
    "ksh": ["ksh"], "busybox": ["busybox", "sh"],
}  # fmt: skip
DASH = ["dash"]
BARE = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"}


def run_shell(
    shell: list[str], code: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} on this machine")
    return subprocess.run(
        [*shell, "-c", code], env={**BARE, **environment}, cwd=cwd, capture_output=True, text=True
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An area with two releases; the folder's name has a space."""
    root = tmp_path / "the area"
    for stack in (OLD, NEW):
        prefix = root / "versions" / stack
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin" / "python").symlink_to("/bin/sh")
        write_setup(prefix, stack, "0" * 64, "3.11", "tests 1", ())
        (prefix / "share/fiducial/packages.txt").write_text(f"of-{stack} 1.0\n")
    install_site(root, OLD, "nightly")
    install_site(root, NEW, "latest")
    point(root / "current", Path("versions", NEW))
    return root


@pytest.mark.parametrize("name", SH)
@pytest.mark.parametrize(
    ("options", "stack"),
    [("", NEW), ("-r nightly", OLD), ("-r latest", NEW), (f"-r {OLD}", OLD), (f"-r{OLD}", OLD),
     (f"--release={OLD}", OLD), (f"--release {OLD} --", OLD), ("-r current", NEW)],
)  # fmt: skip
def test_a_release_or_a_channel_is_picked(name: str, options: str, stack: str, site: Path) -> None:
    code = f"set -eu; . ./setup.sh {options}"
    code += "; echo $FIDUCIAL_STACK; echo $FIDUCIAL_PREFIX; echo $PATH"
    done = run_shell(SH[name], code, site)
    prefix = site / "versions" / stack
    assert done.stdout.splitlines() == [stack, str(prefix), f"{prefix}/bin:/usr/bin:/bin"]
    assert done.stderr == f"fiducial: set up {stack}\n"


@pytest.mark.parametrize("name", [name for name in SH if name != "busybox"])
def test_the_area_is_found_from_anywhere(name: str, site: Path) -> None:
    code = f"set -eu; . '{site}/setup.sh' -r nightly; echo $FIDUCIAL_STACK"
    assert run_shell(SH[name], code, Path("/")).stdout.split() == [OLD]
    shutil.move(site, site.with_name("moved"))
    code = "set -eu; . ../moved/setup.sh; echo $FIDUCIAL_PREFIX"
    there = run_shell(SH[name], code, site.with_name("moved")).stdout.split()
    assert there == [str(site.with_name("moved") / "versions" / NEW)]


@pytest.mark.parametrize("name", SH)
def test_another_release_takes_the_place_of_the_first(name: str, site: Path) -> None:
    code = "set -eu; . ./setup.sh; . ./setup.sh -r nightly; . ./setup.sh -r nightly; echo $PATH"
    done = run_shell(SH[name], code, site)
    assert done.stdout.strip() == f"{site}/versions/{OLD}/bin:/usr/bin:/bin"


@pytest.mark.parametrize("name", SH)
def test_lists_change_nothing(name: str, site: Path) -> None:
    code = "set -eu; . ./setup.sh --list-releases; . ./setup.sh -r nightly --list-packages; env"
    rows = run_shell(SH[name], code, site).stdout.splitlines()
    assert rows[:3] == [f"{OLD} nightly", f"{NEW} current latest", f"of-{OLD} 1.0"]
    assert not [row for row in rows[3:] if "FIDUCIAL" in row]


@pytest.mark.parametrize("name", SH)
@pytest.mark.parametrize("release", ["nope", "../versions", "nightly/x", ".", "no*"])
def test_an_unknown_release_is_told_with_what_there_is(name: str, release: str, site: Path) -> None:
    strict = "set -u" if name == "busybox" else "set -eu"
    code = f"{strict}; . ./setup.sh -r '{release}' || echo status $?; env; set"
    done = run_shell(SH[name], code, site)
    assert f"no release '{release}'" in done.stderr
    assert f"{OLD} nightly" in done.stderr
    rows = done.stdout.splitlines()
    assert rows[0] == "status 2"
    assert not [row for row in rows if row.startswith(("FIDUCIAL", "_fiducial"))]


@pytest.mark.parametrize("name", SH)
def test_what_a_user_set_for_file_names_neither_disturbs_nor_changes(name: str, site: Path) -> None:
    code = (
        "set -f; . ./setup.sh -r nightly; case $- in *f*) echo kept ;; esac; echo $FIDUCIAL_STACK"
    )
    assert run_shell(SH[name], code, site).stdout.split() == ["kept", OLD]


def test_failglob_of_bash_neither_disturbs_nor_changes(site: Path) -> None:
    shutil.rmtree(site / "channels")
    code = "shopt -s failglob; . ./setup.sh --list-releases; . ./setup.sh; shopt failglob"
    rows = run_shell(["bash", "--norc"], code, site).stdout.splitlines()
    assert rows[:2] == [OLD, f"{NEW} current"]
    assert rows[2].split() == ["failglob", "on"]


@pytest.mark.parametrize(
    ("place", "environment"),
    [("site", {}), ("/", {"FIDUCIAL_SITE": "site"}), ("/", {"FIDUCIAL_PREFIX": "versions"})],
)
def test_dash_takes_the_release_from_a_variable(
    place: str, environment: dict[str, str], site: Path
) -> None:
    values = {"site": str(site), "versions": str(site / "versions" / NEW)}
    given = {name: values[value] for name, value in environment.items()}
    code = f"set -eu; . '{site}/setup.sh' -r ignored; echo $FIDUCIAL_STACK"
    cwd = site if place == "site" else Path("/")
    done = run_shell(DASH, code, cwd, FIDUCIAL_RELEASE="nightly", **given)
    assert done.stdout.split() == [OLD]
    assert done.stderr == f"fiducial: set up {OLD}\n"


def test_dash_says_that_it_cannot_tell_the_place(site: Path) -> None:
    done = run_shell(DASH, f". '{site}/setup.sh' || echo status $?", Path("/"))
    assert "set FIDUCIAL_SITE to it" in done.stderr
    assert done.stdout.split() == ["status", "2"]


def test_a_release_that_was_removed_is_not_offered(site: Path) -> None:
    shutil.rmtree(site / "versions" / OLD)
    done = run_shell(SH["bash"], ". ./setup.sh --list-releases; . ./setup.sh -r nightly", site)
    assert done.stdout.splitlines() == [f"{NEW} current latest"]
    assert done.returncode == 2


@pytest.mark.parametrize("name", [*SH, "dash"])
def test_the_selector_starts_no_process(name: str, site: Path) -> None:
    shell = SH.get(name, DASH)
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to make a process namespace")
    read = "read -r a b c d last < /proc/loadavg; echo $last"
    done = subprocess.run(
        [*inside, *shell, "-c", f"set -eu; {read}; . ./setup.sh; {read}"],
        cwd=site, capture_output=True, text=True,
    )  # fmt: skip
    before, after = done.stdout.split()
    assert before == after, done.stderr


@pytest.mark.parametrize("options", ["", "-r nightly", f"-r {OLD}"])
def test_fish_picks(options: str, site: Path) -> None:
    code = f"source setup.fish; source setup.fish {options}; echo $FIDUCIAL_STACK; echo $PATH"
    done = run_shell(["fish", "--no-config"], code, site)
    stack = OLD if options else NEW
    assert done.stdout.splitlines() == [stack, f"{site}/versions/{stack}/bin /usr/bin /bin"]


def test_fish_lists_and_refuses(site: Path) -> None:
    fish = ["fish", "--no-config"]
    rows = run_shell(fish, "source setup.fish --list-releases", Path("/")).stdout.splitlines()
    assert rows == []  # there is none in /
    code = f"source '{site}/setup.fish' --list-releases; source '{site}/setup.fish' -r nightly "
    rows = run_shell(fish, code + "--list-packages; set -n", Path("/")).stdout.splitlines()
    assert rows[:3] == [f"{OLD} nightly", f"{NEW} current latest", f"of-{OLD} 1.0"]
    assert not [row for row in rows if row.startswith(("_fiducial", "FIDUCIAL"))]
    for release in ("nope", "../versions", "''"):
        done = run_shell(fish, f"source setup.fish -r {release}; or echo $status; set -n", site)
        expected = ["2"] if release != "''" else []
        assert done.stdout.splitlines()[: len(expected)] == expected


@pytest.mark.parametrize(
    ("code", "environment"),
    [("source setup.csh -r nightly", {}), ("source setup.csh", {"FIDUCIAL_RELEASE": "nightly"}),
     ("cd /; source '{site}/setup.csh' -r nightly", {}),
     ("cd /; source '{site}/setup.csh' -r nightly", {"FIDUCIAL_SITE": "{site}"})],
)  # fmt: skip
def test_csh_picks(code: str, environment: dict[str, str], site: Path) -> None:
    given = {name: value.format(site=site) for name, value in environment.items()}
    code = code.format(site=site) + "; echo $FIDUCIAL_STACK; echo $PATH; set"
    rows = run_shell(["tcsh", "-f"], code, site, **given).stdout.splitlines()
    prefix = site / "versions" / OLD
    assert rows[:3] == [f"fiducial: set up {OLD}", OLD, f"{prefix}/bin:/usr/bin:/bin"]
    assert not [row for row in rows if row.startswith("_fiducial")]


def test_csh_lists_and_refuses(site: Path) -> None:
    code = "source setup.csh --list-releases; source setup.csh -r nightly --list-packages; env"
    rows = run_shell(["tcsh", "-f"], code, site).stdout.splitlines()
    assert rows[:3] == [f"{OLD} nightly", f"{NEW} current latest", f"of-{OLD} 1.0"]
    assert not [row for row in rows if "FIDUCIAL_" in row]
    for release in ("nope", "'no*'", "../versions"):
        code = f"source setup.csh -r {release}; echo status $status; echo $?FIDUCIAL_STACK; set"
        rows = run_shell(["tcsh", "-f"], code, site).stdout.splitlines()
        assert "no release" in rows[0]
        assert rows[1:5] == [f"{OLD} nightly", f"{NEW} current latest", "status 2", "0"]
        assert not [row for row in rows if row.startswith("_fiducial")]


def test_the_selector_is_written_once(site: Path) -> None:
    assert write_selector(site) == []
    (site / "setup.sh").write_text("echo old\n")
    assert write_selector(site) == ["setup.sh"]


def evaluate(file: Path, environment: dict[str, str], mode: str) -> tuple[dict[str, str], str]:
    """The environment after a module command reads ``file``: the few commands that it uses, as
    Environment Modules defines them."""
    tkinter = pytest.importorskip("tkinter")
    tcl = tkinter.Tcl()
    result, words, load = dict(environment), [], mode == "load"
    tcl.eval("unset ::env; array set ::env {}")  # not the variables of this process
    for name, value in environment.items():
        tcl.setvar(f"env({name})", value)

    def define(name: str, function: Callable[..., object]) -> None:
        tcl.createcommand(name, lambda *a: str(function(*a)))

    def prepend(name: str, part: str) -> None:
        rest = [item for item in result.get(name, "").split(":") if item and item != part]
        result[name] = ":".join([part, *rest] if load else rest)

    def remove(name: str, part: str) -> None:
        if load:
            result[name] = ":".join(item for item in result[name].split(":") if item != part)

    def put(name: str, value: str) -> None:
        result.update({name: value}) if load else result.pop(name, None)

    define("module-whatis", lambda *_: None)
    define("conflict", lambda *_: None)
    define("prepend-path", prepend)
    define("remove-path", remove)
    define("setenv", put)
    define("unsetenv", lambda name: load and result.pop(name, None))
    define("module-info", lambda _, asked: int(asked == mode))
    define("puts", lambda _, text: words.append(text))
    tcl.setvar("ModulesCurrentModulefile", str(file))
    try:
        tcl.evalfile(str(file))
    except tkinter.TclError as error:
        assert "break" in str(error)  # a modulefile may break off: nothing is loaded
        return dict(environment), "\n".join(words)
    return result, "\n".join(words)


SETTINGS = [
    {}, {"PYTHONPATH": "/x", "PYTHONHOME": "/y"}, {"NUMBA_CACHE_DIR": "/fast/disk"},
    {"XDG_CACHE_HOME": "/cache"}, {"NUMBA_CACHE_DIR": "/z/fiducial/numba/other-1"},
    {"FIDUCIAL_PREFIX": "/old", "PATH": "/old/bin:/usr/bin:/bin"},
    {"FIDUCIAL_OVERLAY": "/o", "PATH": "/o/bin:/usr/bin:/bin"},
]  # fmt: skip


@pytest.mark.parametrize("given", SETTINGS, ids=lambda given: "+".join(given) or "bare")
@pytest.mark.parametrize("through", ["stack", "area"])
def test_the_module_sets_what_setup_sh_sets(
    given: dict[str, str], through: str, site: Path
) -> None:
    prefix = site / "versions" / OLD
    file = prefix / modulefile_path(OLD)
    if through == "area":
        file = site / "modulefiles" / "fiducial" / OLD
    loaded, _ = evaluate(file, BARE | given, "load")
    done = run_shell(SH["bash"], f". '{prefix}/setup.sh'; env -0", Path("/"), **given)
    sourced = dict(row.split("=", 1) for row in done.stdout.split("\0") if row)
    shells_own = {"PWD", "SHLVL", "_", "OLDPWD"}
    assert loaded == {name: value for name, value in sourced.items() if name not in shells_own}
    unloaded, _ = evaluate(file, loaded, "unload")
    kept = {"NUMBA_CACHE_DIR"} if given.get("NUMBA_CACHE_DIR") == "/fast/disk" else set()
    assert {name for name in unloaded if "NUMBA" in name or "FIDUCIAL" in name} == kept
    assert str(prefix) not in unloaded["PATH"]


def test_the_module_of_a_stack_without_interpreter_is_not_loaded(site: Path) -> None:
    prefix = site / "versions" / OLD
    os.remove(prefix / "bin/python")  # noqa: PTH107
    loaded, words = evaluate(prefix / modulefile_path(OLD), BARE, "load")
    assert "bound to a Python that this host lacks" in words
    assert loaded == BARE
