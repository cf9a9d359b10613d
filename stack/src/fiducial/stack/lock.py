"""Lock an environment: decide whether its lock is fresh, and make the new one.

Whether a lock is fresh needs no network: it repeats the definition it was resolved from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fiducial.stack.environment import Environment
from fiducial.stack.errors import InputError
from fiducial.stack.files import sha256_bytes, write_atomically
from fiducial.stack.lock_resolve import Change, compare, resolve
from fiducial.stack.lockfile import Lock, parse_lock, read_lock, render_lock


@dataclass(frozen=True)
class InputMove:
    """One input of the definition that is not what the lock was resolved from."""

    label: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"+{row}" for row in self.added] + [f"-{row}" for row in self.removed]
        return f"{self.label}: {', '.join(parts) if parts else 'changed'}"


@dataclass(frozen=True)
class LockPlan:
    """What locking would do. ``data`` is None where the lock stands as it is."""

    environment: Environment
    old: Lock | None
    moves: tuple[InputMove, ...]
    changes: tuple[Change, ...] = ()
    data: bytes | None = field(default=None, repr=False)

    @property
    def fresh(self) -> bool:
        """Whether the committed lock is what this definition gives."""
        return self.data is None

    @property
    def sha256(self) -> str | None:
        """Digest of the lock that would stand afterwards."""
        if self.data is not None:
            return sha256_bytes(self.data)
        return self.old.sha256 if self.old else None


def moved_inputs(lock: Lock, environment: Environment) -> list[InputMove]:
    """Which inputs of the definition moved since ``lock`` was made, and how."""
    moves = compare_inputs(lock.inputs, environment.inputs)
    if not moves and lock.definition != environment.digest:
        moves.append(InputMove("definition"))
    return moves


def compare_inputs(
    before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> list[InputMove]:
    """Inputs of two definitions that differ; a component is the same in another version."""
    renamed = {_bare(label): label for label in before.keys() - after.keys()}
    moves = []
    for label in sorted(after.keys() | before.keys()):
        if label in after and label in before:
            was, now = set(before[label]), set(after[label])
            if was != now:
                added, removed = tuple(sorted(now - was)), tuple(sorted(was - now))
                moves.append(InputMove(label, added, removed))
        elif label in after:
            old_label = renamed.pop(_bare(label), None)
            was = set(before[old_label]) if old_label else set()
            now = set(after[label])
            title = f"{old_label} -> {label}" if old_label else f"{label} (new)"
            added, removed = tuple(sorted(now - was)), tuple(sorted(was - now))
            moves.append(InputMove(title, added, removed))
    moves += [InputMove(f"{label} (gone)", (), before[label]) for label in renamed.values()]
    return moves


def _bare(label: str) -> str:
    """A component's label without its version and extras."""
    return label.split(" ")[0].split("[")[0]


def plan_lock(environment: Environment, upgrade: bool = False, anew: bool = False) -> LockPlan:
    """Decide what locking ``environment`` would do; resolves only where something moved.

    ``upgrade`` takes the newest versions that fit; ``anew`` ignores the lock that is there, also
    where it is damaged.
    """
    exists = environment.lock_path.exists() and not anew
    old = read_lock(environment.lock_path) if exists else None
    moves = tuple(moved_inputs(old, environment)) if old is not None else ()
    if old is not None and not moves and not upgrade:
        return LockPlan(environment, old, moves)
    packages = resolve(environment, old, upgrade)
    data = render_lock(
        environment.name, environment.python, environment.digest, environment.inputs, packages
    )
    if old is not None and sha256_bytes(data) == old.sha256:
        return LockPlan(environment, old, moves)
    changes = tuple(compare(old.packages if old else (), packages))
    return LockPlan(environment, old, moves, changes, data)


def write_lock(plan: LockPlan) -> Lock:
    """Write the lock that ``plan`` decided on, and return it."""
    path = plan.environment.lock_path
    if plan.data is None:
        return read_lock(path)
    lock = parse_lock(plan.data, str(path))  # what is written is what a reader accepts
    write_atomically(path, plan.data)
    return lock


def require_fresh_lock(environment: Environment) -> Lock:
    """The committed lock; raises InputError where it is stale (no network is used)."""
    lock = read_lock(environment.lock_path)
    moves = moved_inputs(lock, environment)
    if moves:
        listed = "\n".join(f"  {move}" for move in moves)
        raise InputError(
            f"the lock of {environment.name} is stale",
            f"{len(moves)} inputs moved since it was made",
            f"renew it with: fiducial lock {environment.name}\n{listed}",
        )
    return lock
