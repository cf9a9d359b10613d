"""What Spack says when it fails, as one error of ours: the kind, its exit code, what to try.

Spack prints ``==> Error: ...`` lines (and more lines that belong to them) on standard error, one
for each package of a failed installation and often the same reason many times. ``read_errors``
keeps the reasons, ``classify`` tells the kind by Spack's own words, and ``failure`` makes the
error. Neglected: messages that differ between versions of Spack fall into ``Kind.OTHER``, which
still shows all that Spack said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from fiducial.stack.errors import EnvironmentProblem, InputError, NegativeAnswer, StackError


class Kind(Enum):
    """Kinds of failure, by what a user can do about them."""

    SPACE = "no space left"
    CHECKSUM = "a source is not what its recipe names"
    SIGNATURE = "a binary is not signed by a key that is trusted"
    NO_BINARY = "a binary is not in the build cache"
    NETWORK = "a source was not found in any mirror, nor on the network"
    LOCKED = "another Spack holds the lock"
    PERMISSION = "a place cannot be written"
    BOOTSTRAP = "Spack lacks a part of itself"
    UNSATISFIABLE = "the specs cannot be concretized together"
    UNKNOWN = "Spack does not know a name that it was given"
    CONFIGURATION = "a configuration file is not valid"
    TESTS = "tests of installed packages failed"
    BUILD = "a package did not build"
    INTERRUPTED = "it was interrupted"
    INTERNAL = "Spack itself failed"
    OTHER = "Spack refused"


class SpackError(StackError):
    """Spack failed. ``kind`` tells how, ``said`` is all that it gave as its reasons."""

    kind = Kind.OTHER
    said = ""


class SpackEnvironmentError(SpackError, EnvironmentProblem):
    """Spack could not, for a reason that lies in this machine: exit 3."""

    exit_code = 3


class SpackInputError(SpackError, InputError):
    """Spack would not, for a reason that lies in what it was given: exit 2."""

    exit_code = 2


class SpackTestsError(SpackError, NegativeAnswer):
    """Spack did what it was asked, and the answer is no: exit 1."""

    exit_code = 1


@dataclass(frozen=True)
class _Sign:
    """How a kind is known, and what to try."""

    kind: Kind
    pattern: re.Pattern[str]
    hint: str | None
    error: type[SpackError] = SpackEnvironmentError


def _sign(
    kind: Kind,
    pattern: str,
    hint: str | None,
    error: type[SpackError] = SpackEnvironmentError,
) -> _Sign:
    return _Sign(kind, re.compile(pattern, re.IGNORECASE), hint, error)


_SIGNS = (  # in order: the first whose words are found wins
    _sign(
        Kind.SPACE,
        r"no space left|\[errno 28\]|disk quota exceeded|\[errno 122\]",
        "free some space and run it again: what is installed stays",
    ),
    _sign(
        Kind.CHECKSUM,
        r"checksum failed|checksum mismatch|hash mismatch",
        "the file that it names was altered or half copied: remove it, fill the mirror again, "
        "and clear what was fetched with spack clean --stage --downloads",
    ),
    _sign(
        Kind.SIGNATURE,
        r"no verified signature|could not be verified|no public key|failed to verify signature",
        "trust the key that signed the build cache, or push the binaries again with a key that "
        "is trusted",
    ),
    _sign(
        Kind.NO_BINARY,
        r"no binary (?:for .* )?found",
        "push it to the build cache first, trust the key that signed it, or install from sources",
    ),
    _sign(
        Kind.LOCKED,
        r"timed out waiting for a|locktimeout|failed to acquire|could not acquire",
        "wait for the other Spack to finish, and run it again",
    ),
    _sign(
        Kind.NETWORK,
        r"all fetchers failed|connection refused|name or service not known|temporary failure in "
        r"name|timed out|network is unreachable|could not fetch|failed to download|url open error",
        "check the network, or fill a mirror where there is one: fiducial mirror create",
    ),
    _sign(
        Kind.PERMISSION,
        r"permission denied|read-only file system|\[errno 13\]|\[errno 30\]|insufficient "
        r"permissions",
        "choose a place that you may write",
    ),
    _sign(
        Kind.BOOTSTRAP,
        r"cannot bootstrap|bootstrapping",
        "install clingo for the Python that runs Spack (SPACK_PYTHON), or let Spack bootstrap it",
    ),
    _sign(
        Kind.UNSATISFIABLE,
        r"failed to concretize|unsatisfiable|no version exists that satisfies|cannot satisfy|"
        r"requirement .* cannot be satisfied|conflicts with|externals? .* do(?:es)? not satisfy|"
        r"internal spack error during concretization",
        "change the specs or what the host offers (environments/host), as Spack says",
        SpackInputError,
    ),
    _sign(
        Kind.UNKNOWN,
        r"does not exist|no environment in|no such (?:environment|repository)|package .* not found|"
        r"not a recognized spack command|does not contain the package|no matching|matches no",
        None,
        SpackInputError,
    ),
    _sign(
        Kind.CONFIGURATION,
        r"is not valid under any|error parsing yaml|invalid yaml|additional properties|"
        r"is not of type|was unexpected|configerror|unrecognized arguments",
        "correct the file that Spack names",
        SpackInputError,
    ),
    _sign(
        Kind.TESTS,
        r"test\(s\) in the suite failed",
        "read the log that Spack names: spack test results --logs",
        SpackTestsError,
    ),
    _sign(Kind.INTERRUPTED, r"keyboard interrupt|keyboardinterrupt", "run it again: it goes on"),
    _sign(
        Kind.BUILD,
        r"processerror|installerror|command exited with status|failed to install|"
        r"package was not installed|error in .* phase",
        "read the build log that Spack names; a run again goes on with what is missing",
    ),
    _sign(
        Kind.INTERNAL,
        r"traceback \(most recent call last\)",
        "report it with Spack's own --stacktrace",
        SpackError,
    ),
)
_REPEATS = ("Installation request failed", "Package was not installed", "Skipping build of")
_LINES = 14


def read_errors(text: str) -> list[str]:
    """The reasons in what Spack printed, each once, with the lines that belong to them.

    A block begins with ``==> Error:`` and ends before the next line that begins with ``==>`` or
    ``[``. Lines that only repeat that something failed are left out where there is a reason.
    """
    blocks: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("==> Error:"):
            blocks.append([line.removeprefix("==> Error:").strip()])
            inside = True
        elif line.startswith(("==>", "[+]", "[-]", "[^]")):
            inside = False
        elif inside and line.strip():
            blocks[-1].append(line.rstrip())
    found = list(dict.fromkeys("\n".join(dict.fromkeys(block)) for block in blocks))
    reasons = [block for block in found if not any(sign in block for sign in _REPEATS)]
    return reasons or found


def classify(text: str) -> Kind:
    """The kind of failure that ``text`` tells of."""
    sign = _find(text)
    return sign.kind if sign else Kind.OTHER


def _find(text: str) -> _Sign | None:
    return next((sign for sign in _SIGNS if sign.pattern.search(text)), None)


def _shorten(lines: list[str]) -> list[str]:
    if len(lines) <= _LINES:
        return lines
    return [*lines[: _LINES - 1], f"… and {len(lines) - _LINES + 1} lines more"]


def failure(action: str, returncode: int, stdout: str, stderr: str) -> SpackError:
    """The error for a Spack that ended with ``returncode`` while it was to ``action``."""
    errors = read_errors(stderr) or read_errors(stdout)
    tail = [line for line in (stderr.strip() or stdout.strip()).splitlines() if line][-5:]
    said = "\n".join(errors or tail)
    sign = _find("\n".join(errors)) if errors else _find(stderr + stdout[-4000:])
    if returncode < 0 and (sign is None or sign.kind is Kind.BUILD):
        kind, hint = Kind.INTERRUPTED, "run it again: it goes on with what is missing"
        why = f"Spack was ended by signal {-returncode}"
        error: SpackError = SpackEnvironmentError(f"cannot {action}", why, _with(hint, said))
    elif sign is None:
        kind = Kind.OTHER
        error = SpackEnvironmentError(f"cannot {action}", f"Spack: exit {returncode}", said or None)
    else:
        kind = sign.kind
        error = sign.error(f"cannot {action}", kind.value, _with(sign.hint, said))
    error.kind, error.said = kind, said
    return error


def _with(hint: str | None, said: str) -> str | None:
    """The hint, and below it Spack's own words, indented."""
    lines = [f"  {line}" for line in _shorten(said.splitlines())]
    if not lines:
        return hint
    return "\n".join([hint, *lines] if hint else ["Spack says", *lines])
