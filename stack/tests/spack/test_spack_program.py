"""Spack is found, run apart from the user's settings, and its failures are understood."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.spack.failures import Kind, SpackError, classify, failure, read_errors
from fiducial.stack.spack.program import find_spack, git_commit

FakeSpack = Callable[..., Path]

FETCH = """\
==> Error: FetchError: All fetchers failed for spack-stage-py-pip-26.1.2-gu7hmqp
        http://127.0.0.1:9/x/_source-cache/archive/38/382f.whl: URLError: [Errno 111] Connection refused
    https://index/pip-26.1.2-py3-none-any.whl: GET errored with: [Errno 111] Connection refused
    https://index/pip-26.1.2-py3-none-any.whl: GET errored with: [Errno 111] Connection refused
==> Warning: Skipping build of py-wheel-0.45.1-niydtmp since py-pip-26.1.2-gu7hmqp failed
==> Error: py-mdurl-0.1.2-6yyetiz: Package was not installed
==> Error: Installation request failed.  Refer to reported errors for failing package(s).
"""  # noqa: E501 (Spack's own lines)


def test_no_spack_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SPACK_ROOT", raising=False)
    with pytest.raises(
        EnvironmentProblem, match=r"no Spack found .*SPACK_ROOT is not set"
    ) as caught:
        find_spack()
    assert caught.value.exit_code == 3
    monkeypatch.setenv("SPACK_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentProblem, match="nowhere/bin/spack"):
        find_spack()


def test_spack_root_is_used_where_path_has_none(
    fake_spack: FakeSpack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = fake_spack()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SPACK_ROOT", str(program.parent.parent))
    assert find_spack().program == program


@pytest.mark.parametrize(
    ("said", "version", "commit"),
    [
        ("1.2.0.dev0 (9cf66332df3dd988248617fc93400045be59ebab)", "1.2.0.dev0", "9cf66332df3dd"),
        ("1.1.0", "1.1.0", None),
        ("1.10.2", "1.10.2", None),
    ],
)
def test_versions_are_read(
    fake_spack: FakeSpack, said: str, version: str, commit: str | None
) -> None:
    fake_spack(version=said)
    spack = find_spack()
    assert spack.version == version
    assert (spack.commit or "").startswith(commit or "") and (spack.commit is None) == (not commit)


@pytest.mark.parametrize("version", ["0.23.1", "1.0.2", "1.0.0.dev0 (0123456789)"])
def test_a_spack_that_is_too_old_is_refused(fake_spack: FakeSpack, version: str) -> None:
    fake_spack(version=version)
    with pytest.raises(EnvironmentProblem, match=r"too old .*1.1 or newer"):
        find_spack()


def test_a_program_that_is_not_spack_is_refused(fake_spack: FakeSpack) -> None:
    fake_spack(version="spack, the game of rackets 3")
    with pytest.raises(EnvironmentProblem, match=r"does not answer as Spack does .*rackets"):
        find_spack()


def test_a_run_is_apart_from_the_callers_settings(
    fake_spack: FakeSpack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_spack(
        "print(sys.argv[1:])\n"
        "names = ('SPACK_DISABLE_LOCAL_CONFIG', 'SPACK_ENV', 'PYTHONPATH', 'NO_COLOR', 'EXTRA')\n"
        "print([os.environ.get(name) for name in names])\n"
        "print(repr(sys.stdin.read()), os.readlink('/proc/self/fd/0').split(':')[0])\n"
    )
    for name in ("SPACK_ENV", "PYTHONPATH"):
        monkeypatch.setenv(name, "of the caller")
    spack, scope = find_spack(), tmp_path / "scope"
    done = spack.run(
        "find", environment=tmp_path, scopes=[scope], action="look", extra_env={"EXTRA": "x"}
    )
    words, values, stdin = done.stdout.splitlines()
    assert words == str(["-C", str(scope), "-e", str(tmp_path), "find"])
    assert values == str(["1", None, None, "1", "x"])
    assert stdin == "'' pipe"
    assert find_spack().run("find", action="look").stdout.startswith("['-E', 'find']")


def test_lines_are_given_while_spack_runs(fake_spack: FakeSpack) -> None:
    fake_spack(
        "for n in range(3):\n"
        "    print('line', n, flush=True)\n"
        "print('aside', file=sys.stderr, flush=True)\n"
    )
    lines: list[str] = []
    done = find_spack().run("install", action="install", on_line=lines.append)
    assert [line for line in lines if line != "aside"] == ["line 0", "line 1", "line 2"]
    assert "aside" in lines and done.stderr == "aside\n"


FAULTS = [
    (FETCH, Kind.NETWORK, 3),
    ("sha256 checksum failed for /s/m.whl\nExpected 8400 but got a572.", Kind.CHECKSUM, 3),
    ("All fetchers failed for x\n  OSError: [Errno 28] No space left on device", Kind.SPACE, 3),
    ("No version exists that satisfies these input specs:\n    zlib@99", Kind.UNSATISFIABLE, 2),
    ("failed to concretize `a` for the following reasons:\n  1. no", Kind.UNSATISFIABLE, 2),
    ("cannot concretize 'nosuchpkg', since 'nosuchpkg' does not exist", Kind.UNKNOWN, 2),
    ("no environment in /x", Kind.UNKNOWN, 2),
    ("x.yaml:3: 'http' is not valid under any of the given schemas", Kind.CONFIGURATION, 2),
    ("Timed out waiting for a write lock.", Kind.LOCKED, 3),
    ("[Errno 13] Permission denied: '/opt/store'", Kind.PERMISSION, 3),
    ("1 test(s) in the suite failed.", Kind.TESTS, 1),
    ("Keyboard interrupt.", Kind.INTERRUPTED, 3),
    ("ProcessError: Command exited with status 1:\n    'pip' 'install'", Kind.BUILD, 3),
    ("No binary found for cache-only installation", Kind.NO_BINARY, 3),
    ("the moon is full", Kind.OTHER, 3),
]


@pytest.mark.parametrize(("text", "kind", "code"), FAULTS, ids=[row[1].name for row in FAULTS])
def test_each_fault_is_one_error_with_spacks_own_words(
    fake_spack: FakeSpack, text: str, kind: Kind, code: int
) -> None:
    text = text if text.startswith("==>") else f"==> Error: {text}"
    fake_spack(f"print({text!r}, file=sys.stderr)\nsys.exit(1)\n")
    with pytest.raises(SpackError) as caught:
        find_spack().run("install", action="install base")
    error = caught.value
    assert (error.kind, error.exit_code) == (kind, code)
    assert str(error).startswith("cannot install base (")
    assert read_errors(text)[0].splitlines()[0] in str(error)


def test_a_reason_that_is_repeated_is_told_once() -> None:
    (reason,) = read_errors(FETCH)
    assert reason.startswith("FetchError") and reason.count("GET errored") == 1
    only = "==> Error: py-mdurl-0.1.2-6yyetiz: Package was not installed\n"
    assert read_errors(only) == ["py-mdurl-0.1.2-6yyetiz: Package was not installed"]
    assert classify(FETCH) is Kind.NETWORK


def test_a_spack_that_dies_without_a_word_is_told_apart_from_one_that_refuses(
    fake_spack: FakeSpack,
) -> None:
    fake_spack("os.kill(os.getpid(), signal.SIGKILL)\n")
    with pytest.raises(EnvironmentProblem, match=r"ended by signal 9.*run it again"):
        find_spack().run("install", action="install base")
    crash = failure("look", 3, "", "Traceback (most recent call last):\n  x\nKeyError: 'a'\n")
    assert crash.exit_code == 4 and "KeyError" in str(crash)


def test_a_run_that_takes_too_long_is_ended(fake_spack: FakeSpack) -> None:
    fake_spack("print('begun', flush=True)\ntime.sleep(60)\n")
    with pytest.raises(EnvironmentProblem, match=r"Spack took longer than 0.3 s"):
        find_spack().run("install", action="install base", timeout=0.3)


def test_an_interrupt_reaches_spack_once_and_spack_ends_first(
    fake_spack: FakeSpack, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    fake_spack(
        f"log = open({str(log)!r}, 'a', buffering=1)\n"
        "def stop(number, frame):\n"
        "    log.write('interrupted\\n'); time.sleep(0.2); log.write('cleared up\\n')\n"
        "    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from fiducial.stack.spack.program import find_spack\n"
        "try:\n"
        "    find_spack().run('install', action='x', on_line=lambda s: print(s, flush=True))\n"
        "except KeyboardInterrupt:\n"
        "    print('ended', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    assert process.stdout.readline() == "ended\n"
    assert log.read_text() == "interrupted\ncleared up\n"
    assert process.wait(30) == 0
    process.stdout.close()


def test_what_a_callback_raises_ends_spack(fake_spack: FakeSpack, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    fake_spack(
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\nprint('x', flush=True)\ntime.sleep(60)\n"
    )

    def refuse(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError):
        find_spack().run("install", action="x", on_line=refuse)
    assert not Path("/proc", pid.read_text()).exists()


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert len(git_commit(tmp_path) or "") == 40
