"""Why something signed or stored is refused: one name for each reason, all reasons at once.

Everything that is read back from a repository is judged before it is used. A judgement
that finds against it raises :class:`Refused`, which carries the list of failures; each has a
kind (an enumeration that scripts can test), the thing it is about, and what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fiducial.stack.errors import NegativeAnswer


class Refusal(StrEnum):
    """The reasons for refusing, by the words that are printed."""

    MALFORMED = "malformed envelope"
    BAD_SIGNATURE = "bad signature"
    UNKNOWN_KEY = "unknown key"
    WRONG_TYPE = "wrong payload type"
    WRONG_SUBJECT = "wrong subject"
    WRONG_LOCK = "wrong lock"
    WRONG_REFERENCES = "wrong references"
    RESULTS_CHANGED = "results changed"
    FAILED_VERDICT = "failed verdict"
    PARTIAL_VERDICT = "partial verdict"
    MANIFEST_CHANGED = "manifest changed"
    OBJECT_CHANGED = "object changed"
    OBJECT_MISSING = "object missing"
    VERDICT_CHANGED = "verdict changed"
    RECORD_CHANGED = "record changed"
    RECORD_MISSING = "record missing"
    CHANNEL_ROLLED_BACK = "channel rolled back"
    CHANNEL_MOVED = "channel moved by another publisher"
    HOSTILE_PATH = "hostile path"


@dataclass(frozen=True)
class Failure:
    """One reason: what kind, about what, and what was seen."""

    kind: Refusal
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject} ({self.detail})"

    def to_dict(self) -> dict[str, str]:
        return {"kind": str(self.kind), "subject": self.subject, "detail": self.detail}


def list_reasons(reasons: Sequence[object], most: int = 20) -> str:
    """All ``reasons`` as one text: a single one as it is, several one a line, ``most`` of them."""
    shown = [str(reason) for reason in reasons[:most]]
    if len(reasons) > len(shown):
        shown.append(f"and {len(reasons) - len(shown)} more")
    return shown[0] if len(shown) == 1 else "".join(f"\n  - {line}" for line in shown)


class Refused(NegativeAnswer):
    """Something was judged and found wanting; ``failures`` holds every reason."""

    def __init__(self, what: str, failures: Iterable[Failure], hint: str | None = None) -> None:
        self.failures = tuple(failures)
        super().__init__(f"{what} is refused", why=list_reasons(self.failures), hint=hint)

    @property
    def kinds(self) -> frozenset[Refusal]:
        return frozenset(failure.kind for failure in self.failures)


def refuse_if(what: str, failures: Iterable[Failure], hint: str | None = None) -> None:
    """Raise :class:`Refused` where there is at least one failure."""
    found = tuple(failures)
    if found:
        raise Refused(what, found, hint)
