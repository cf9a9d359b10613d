"""Channels: named pointers to published stacks that move only forward, and only for cause.

Revision numbers only grow: going back to an older stack is a new revision that points to the
old release. Whether a channel may move is judged twice: here, to say so before anything is
written, and by the repository when it moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fiducial.stack.errors import InputError, did_you_mean
from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.ledger import Record
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.repository import Pointer, Repository


@dataclass(frozen=True)
class Standing:
    """Where a channel stands: revision 0 and no pointer where it never moved."""

    name: str
    revision: int
    pointer: Pointer | None
    when: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "channel": self.name,
            "revision": self.revision,
            "release": self.pointer.release if self.pointer else None,
            "when": self.when,
        }


def standing(repository: Repository, name: str, trusted: TrustedKeys) -> Standing:
    """Where channel ``name`` stands. Raises Refused where its newest record does not verify."""
    found = repository.channel(name, trusted)
    if found is None:
        return Standing(name, 0, None)
    pointer, record = found
    return Standing(name, record.revision, pointer, record.when)


def existing(repository: Repository, name: str, trusted: TrustedKeys) -> Standing:
    """``standing``, where the channel must exist. Raises InputError with the nearest names."""
    found = standing(repository, name, trusted)
    if found.pointer is None:
        raise InputError(
            f"no channel {name!r} in {repository.location}",
            None,
            did_you_mean(name, repository.channels()),
        )
    return found


def move(
    repository: Repository,
    seen: Standing,
    pointer: Pointer,
    signer: Signer,
    trusted: TrustedKeys,
) -> Record | None:
    """Move a channel from where it was ``seen`` to ``pointer``; None where it is there already.

    Raises Refused: the release is not fit for a channel, or another publisher moved it first
    (to another release: where both meant the same one, nobody lost).
    """
    if seen.pointer == pointer:
        return None
    try:
        return repository.advance(seen.name, pointer, seen.revision, signer, trusted)
    except Refused as refused:
        if Refusal.CHANNEL_MOVED not in refused.kinds:
            raise
        if standing(repository, seen.name, trusted).pointer == pointer:
            return None
        raise
