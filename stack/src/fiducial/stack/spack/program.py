"""Spack, the program: found, asked for its version, and run apart from the user's settings.

    spack = find_spack()
    spack.run("concretize", environment=folder, action="concretize base")

Every run leaves the user's configuration (~/.spack) unread and unwritten, belongs to no
environment but the one that is named, and gets its own process group, so that an interrupt
reaches Spack exactly once and Spack ends before we do. What the site put into Spack's own etc/spack
is read. A failure is one error with Spack's own words (``fiducial.stack.spack.failures``).
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.spack.failures import Kind, SpackEnvironmentError, failure
from fiducial.stack.tools import clean_environment, run_program

MINIMUM = "1.1"
_VERSION = re.compile(r"^(\d+(?:\.\d+)+)(\S*)(?:\s+\(([0-9a-f]{7,40})\))?\s*$")
_HIDDEN = ("SPACK_ENV", "SPACK_ENV_VIEW", "SPACK_LOADED_HASHES", "PYTHONDONTWRITEBYTECODE")
_PATIENCE = 20.0
"""Seconds that an interrupted Spack has to end by itself."""

OnLine = Callable[[str], None]
_running: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True)
class Spack:
    """A Spack that was found and answered. ``commit`` is None where it does not tell."""

    program: Path
    version: str
    commit: str | None

    @cached_property
    def root(self) -> Path:
        """Where this Spack lies."""
        answer = self.run("location", "--spack-root", action="ask Spack where it lies")
        return Path(answer.stdout.strip())

    def recipes(self, namespace: str = "builtin") -> Path:
        """The folder of a repository of recipes that this Spack is configured with."""
        action = f"find Spack's repository of recipes '{namespace}'"
        return Path(self.run("location", "--repo", namespace, action=action).stdout.strip())

    def recipes_commit(self, namespace: str = "builtin") -> str | None:
        """The git commit of a repository of recipes; None where it is no git checkout."""
        return git_commit(self.recipes(namespace))

    def run(
        self,
        *arguments: str | Path,
        environment: Path | None = None,
        scopes: Sequence[Path] = (),
        action: str,
        timeout: float | None = None,
        on_line: OnLine | None = None,
        extra_env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run Spack to its end, in ``environment`` and with configuration ``scopes`` over it.

        ``action`` completes "cannot …" in the error of a run that fails; ``on_line`` is given
        each line of both outputs while Spack runs, in the caller's thread. A KeyboardInterrupt
        ends Spack, too.
        """
        command = [str(self.program)]
        for scope in scopes:
            command += ["-C", str(scope)]
        command += ["-e", str(environment)] if environment is not None else ["-E"]
        command += [str(argument) for argument in arguments]
        code, stdout, stderr = _run(command, spack_environment(extra_env), cwd, timeout, on_line)
        if code is None:
            error = SpackEnvironmentError(
                f"cannot {action}", f"Spack took longer than {timeout:g} s"
            )
            error.kind, error.said = Kind.INTERRUPTED, stderr
            raise error
        if code != 0:
            raise failure(action, code, stdout, stderr)
        return subprocess.CompletedProcess(command, code, stdout, stderr)


def find_spack(minimum: str = MINIMUM) -> Spack:
    """``spack`` on PATH, else the one of SPACK_ROOT; EnvironmentProblem if none will do."""
    hint = "install Spack and put it on PATH, or set SPACK_ROOT to where it lies"
    root = os.environ.get("SPACK_ROOT")
    named = Path(root, "bin", "spack") if root else None
    found = shutil.which("spack")
    if found is None and named is not None and os.access(named, os.X_OK):
        found = str(named)
    if found is None:
        why = (
            f"none on PATH, and no {named}" if named else "none on PATH, and SPACK_ROOT is not set"
        )
        raise EnvironmentProblem("no Spack found", why, hint)
    done = run_program([found, "--version"], environment=spack_environment())
    match = _VERSION.match(done.stdout.strip())
    if done.returncode != 0 or match is None:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        why = said[0] if said else f"exit {done.returncode}, and not a word"
        raise EnvironmentProblem(f"{found} --version does not answer as Spack does", why, hint)
    version = match[1] + match[2]
    if _numbers(match[1]) < _numbers(minimum):
        why = f"{found} is {version}, Fiducial's recipes need {minimum} or newer"
        raise EnvironmentProblem("this Spack is too old", why, "update it: " + hint)
    return Spack(Path(found).absolute(), version, match[3])


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out in ``folder``; None where that is no git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    done = run_program([git, "-C", str(folder), "rev-parse", "--verify", "HEAD"])
    return done.stdout.strip() if done.returncode == 0 else None


def spack_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for a Spack that ignores the user's settings."""
    kept = {name: value for name, value in clean_environment().items() if name not in _HIDDEN}
    ours = {"SPACK_DISABLE_LOCAL_CONFIG": "1", "NO_COLOR": "1", "SPACK_COLOR": "never"}
    return {**kept, **ours, **(extra or {})}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _run(
    command: list[str],
    environment: dict[str, str],
    cwd: Path | None,
    timeout: float | None,
    on_line: OnLine | None,
) -> tuple[int | None, str, str]:
    """Exit code (None after ``timeout``) and both outputs."""
    try:
        process = subprocess.Popen(
            command, env=environment, cwd=cwd, text=True, errors="replace", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise EnvironmentProblem(f"cannot run {command[0]}", error.strerror) from error
    assert process.stdin and process.stdout and process.stderr
    _running.add(process)
    process.stdin.close()  # a pipe at its end: Spack's installer takes no /dev/null
    lines: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
    for number, stream in enumerate((process.stdout, process.stderr)):
        threading.Thread(target=_read, args=(number, stream, lines), daemon=True).start()
    said: tuple[list[str], list[str]] = ([], [])
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        for _ in (1, 2):  # each stream ends with a None
            while True:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                number, line = lines.get(timeout=left)
                if line is None:
                    break
                said[number].append(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
        code: int | None = process.wait(left)
    except (queue.Empty, subprocess.TimeoutExpired):
        _end(process)
        code = None
    except BaseException:
        _end(process)
        raise
    finally:
        _running.discard(process)
    return code, "".join(said[0]), "".join(said[1])


def end_all() -> None:
    """End every Spack that other threads run: an interrupt reaches the main thread alone."""
    for process in tuple(_running):
        _end(process)


def _read(number: int, stream: IO[str], lines: queue.SimpleQueue[tuple[int, str | None]]) -> None:
    with stream:
        for line in stream:
            lines.put((number, line))
    lines.put((number, None))


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt Spack and all it started; harder, where it does not end by itself."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(_PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:  # an impatient user: go on to the next signal
            continue
