"""Errors that end a command: problem (why): what to try, and an exit code.

The stack tool imports no component, so these are its own; the exit codes are those of every
Fiducial command: 0 done, 1 the answer is no, 2 wrong use or bad input, 3 the environment
(a missing tool, no space, no network), 4 an internal error.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


class StackError(Exception):
    """An error with its reason and a way out; printed as text, without a traceback."""

    exit_code = 4

    def __init__(self, problem: str, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.why, self.hint = problem, why, hint

    def __str__(self) -> str:
        text = self.problem
        if self.why:
            text += f" ({self.why})"
        if self.hint:
            text += f": {self.hint}"
        return text


class InputError(StackError, ValueError):
    """Wrong use or bad input: exit 2."""

    exit_code = 2


class EnvironmentProblem(StackError, OSError):  # noqa: N818 (named as in fiducial.core.errors)
    """The machine lacks something (a tool, space, the network): exit 3."""

    exit_code = 3


class NegativeAnswer(StackError):  # noqa: N818 (named as in fiducial.core.errors)
    """The question was answered, with no (a difference, a failed verdict): exit 1."""

    exit_code = 1


class InternalError(StackError):
    """A mistake of this program: exit 4."""

    exit_code = 4


@dataclass(frozen=True)
class Mistake:
    """One mistake of an input: where it is, what is wrong, what to try."""

    where: str
    problem: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f": {self.hint}" if self.hint else "")


class Mistakes(InputError):  # noqa: N818 (named as in fiducial.core.errors)
    """All the mistakes of an input at once."""

    def __init__(self, mistakes: Sequence[Mistake], what: str = "the input") -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        super().__init__(f"{count} mistake{'s' if count != 1 else ''} in {what}")

    def __str__(self) -> str:
        return "\n".join([f"{self.problem}:", *(f"  {mistake}" for mistake in self.mistakes)])


def nearest(name: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """Names in ``choices`` most like ``name``, best first (letter case is ignored)."""
    folded = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), folded, n=limit, cutoff=0.55)
    return [folded[match] for match in found]


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest names, else all of them."""
    names = list(choices)
    near = nearest(name, names)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(sorted(names))}" if names else "none is defined"


_SPACE = {errno.ENOSPC: "no space left", errno.EDQUOT: "disk quota exceeded"}


def from_os_error(error: OSError, doing: str, path: Path | str | None = None) -> EnvironmentProblem:
    """``error`` as an EnvironmentProblem that says what was being done and where."""
    where = path if path is not None else (error.filename or "")
    reason = _SPACE.get(error.errno or 0) or error.strerror or str(error)
    hints = {
        errno.ENOSPC: "free some space, or choose another place",
        errno.EDQUOT: "free some space, or choose another place",
        errno.EACCES: "check the permissions, or choose another place",
        errno.EROFS: "choose a place that can be written",
    }
    return EnvironmentProblem(
        f"cannot {doing}" + (f" {where}" if where else ""), reason, hints.get(error.errno or 0)
    )
