"""Errors that say what is wrong, why, and what to try.

Every error of Fiducial reads *problem (why): hint*, keeps the three parts as attributes,
and knows the exit code of a program that ends with it:

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done
1     the answer is no (a failed verdict, a difference)
2     wrong use or bad input
3     the environment (a missing tool, no space, no network)
4     an internal error
====  ==========================================================================

Each class also derives from the built-in that callers already catch (``ValueError``,
``OSError``, ``ImportError``). All of them survive pickling, since workers raise them too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = [
    "EnvironmentProblem",
    "FiducialError",
    "InputError",
    "InternalError",
    "MissingExtra",
    "Mistake",
    "Mistakes",
    "NegativeAnswer",
    "did_you_mean",
    "nearest",
]


def _sentence(problem: str, why: str | None, hint: str | None) -> str:
    text = problem
    if why:
        text += f" ({why})"
    if hint:
        text += f": {hint}"
    return text


class FiducialError(Exception):
    """The root of all of Fiducial's errors.

    problem  what is wrong, with the value, the file, the line or the key
    why      the cause, where it is known
    hint     what to try
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, problem: str, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(_sentence(problem, why, hint))
        self.problem = problem
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return _sentence(self.problem, self.why, self.hint)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.why, self.hint)


class NegativeAnswer(FiducialError):  # noqa: N818
    """The work was done and its answer is no: a failed verdict, a difference."""

    exit_code = 1


class InputError(FiducialError, ValueError):
    """Wrong use or bad input: a file, a value, a name."""

    exit_code = 2


class EnvironmentProblem(FiducialError, OSError):  # noqa: N818
    """The machine cannot do it: a missing tool, no space, no permission, no network."""

    exit_code = 3


class MissingExtra(FiducialError, ImportError):  # noqa: N818
    """A function needs an optional dependency that is not installed.

    Its text names the distribution and the extra that bring the dependency.
    """

    exit_code = 3

    def __init__(self, need: str, distribution: str, extra: str, why: str | None = None) -> None:
        super().__init__(f"{need} is not installed", why, f"pip install '{distribution}[{extra}]'")
        self.need = need
        self.distribution = distribution
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.need, self.distribution, self.extra, self.why)


class InternalError(FiducialError):
    """A broken promise inside Fiducial: a bug to report."""

    exit_code = 4


@dataclass(frozen=True)
class Mistake:
    """One mistake in an input.

    where    ``file:line: dotted.key``, as far as it is known
    problem  what is wrong there, with the value
    hint     what to try
    """

    where: str
    problem: str
    hint: str | None = None

    def __str__(self) -> str:
        text = _sentence(self.problem, None, self.hint)
        return f"{self.where}: {text}" if self.where else text


class Mistakes(InputError):  # noqa: N818
    """Several mistakes of one input at once, one a line."""

    def __init__(self, mistakes: Iterable[Mistake], subject: str | None = None) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        self.subject = subject
        if not self.mistakes:
            raise InternalError("Mistakes was raised without a mistake")
        lines = [str(mistake) for mistake in self.mistakes]
        if len(lines) > 1:
            lines.insert(0, f"{len(lines)} mistakes" + (f" in {subject}:" if subject else ":"))
        super().__init__("\n".join(lines))

    def __len__(self) -> int:
        return len(self.mistakes)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mistakes, self.subject)


def nearest(name: str, choices: Iterable[str], n: int = 3) -> list[str]:
    """The up to ``n`` choices that look most like ``name``, best first, blind to case."""
    by_folded: dict[str, str] = {}
    for choice in choices:
        by_folded.setdefault(choice.casefold(), choice)
    folded = name.casefold()
    found = difflib.get_close_matches(folded, by_folded, n=n, cutoff=0.6)
    if len(found) < n and len(folded) >= 3:  # 'muon' for 'muon_gun'
        found += [c for c in by_folded if c not in found and (c.startswith(folded) or folded in c)][
            : n - len(found)
        ]
    return [by_folded[key] for key in found]


def did_you_mean(name: str, choices: Sequence[str]) -> str:
    """A hint for a wrong name: the nearest choices, or all of them where none is near.

    At most twelve choices are listed.
    """
    close = nearest(name, choices)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not choices:
        return "there is none to choose from"
    listed = ", ".join(list(choices)[:12])
    more = f" and {len(choices) - 12} more" if len(choices) > 12 else ""
    return f"choose from {listed}{more}"
