"""What differs between two Spack locks, and for every changed hash the root cause.

The hash of a package moves when the package itself moved (its version, variants, recipe, the path
of an external, …) or when the hash of a dependency moved. A cause is what moved by itself; it
reaches all packages that depend on it, near or far. A pure function of the two locks.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fiducial.stack.spack.lock_graph import Node, SpackLock
from fiducial.stack.spack.node_changes import SHARED, Change, own_changes
from fiducial.stack.spack.node_pairs import pair_nodes
from fiducial.stack.spack.version_order import is_downgrade


@dataclass(frozen=True)
class Cause:
    """What moved by itself, in which packages, and whom it reached.

    ``reaches`` maps the hash (in the new lock) of each package whose hash it moved to that of the
    dependency through which it came on a shortest path (to itself where the path begins), and to
    the number of steps.
    """

    packages: tuple[Node, ...]
    changes: tuple[Change, ...]
    reaches: Mapping[str, tuple[str, int]] = field(repr=False)

    def path(self, dag: str) -> tuple[str, ...]:
        """Hashes from where the cause lies to ``dag``, a shortest way."""
        steps = [dag]
        while (back := self.reaches[steps[-1]][0]) != steps[-1]:
            steps.append(back)
        return tuple(reversed(steps))


@dataclass(frozen=True)
class ChangedNode:
    """A package in both locks with another hash.

    ``causes`` index those that reached it, the one with the shortest way first.
    """

    before: Node
    after: Node
    changes: tuple[Change, ...]
    causes: tuple[int, ...]

    @property
    def downgraded(self) -> bool:
        """Whether its version is lower than it was."""
        return is_downgrade(self.before.version, self.after.version)


@dataclass(frozen=True)
class Downgrade:
    """A lower version than before.

    Of a package; of the one among several of its name that ``user`` depends on; or of what
    provides a virtual package, where that is another one (then both values have its name too).
    """

    name: str
    before: str
    after: str
    user: str | None = None


@dataclass(frozen=True)
class LockDiff:
    """Everything that differs; causes with the widest reach first, packages by name."""

    before: SpackLock = field(repr=False)
    after: SpackLock = field(repr=False)
    roots: tuple[Change, ...]
    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[ChangedNode, ...]
    causes: tuple[Cause, ...]
    downgrades: tuple[Downgrade, ...]

    @property
    def spack(self) -> tuple[str, str] | None:
        """Version and commit of the two Spacks that concretized, where they differ."""
        pair = self.before.spack, self.after.spack
        return pair if pair[0] != pair[1] else None

    @property
    def identical(self) -> bool:
        """Whether the same was asked for, of the same Spack, with the same answer."""
        return not (self.roots or self.added or self.removed or self.changed or self.spack)

    def path(self, node: ChangedNode, cause: int) -> tuple[Node, ...]:
        """Packages from where a cause lies to ``node``, which is the last."""
        return tuple(self.after.nodes[dag] for dag in self.causes[cause].path(node.after.hash))


def diff_locks(before: SpackLock, after: SpackLock) -> LockDiff:
    """Compare two Spack locks."""
    pairs = pair_nodes(before, after)
    locks = before, after
    moved = {new: old for old, new in pairs.items() if old != new}
    changes: dict[str, tuple[Change, ...]] = {}
    users: dict[str, list[str]] = defaultdict(list)
    for new, old in moved.items():
        own = own_changes(before.nodes[old], after.nodes[new], locks, pairs)
        came = {row.hash for row in after.nodes[new].edges if row.hash in moved}
        came &= {pairs.get(row.hash, "") for row in before.nodes[old].edges}
        for dependency in sorted(came):
            users[dependency].append(new)
        if not own and not came:
            own = [Change("format", "", None, None)]
        changes[new] = tuple(own)
    causes = _causes(changes, users, after)
    changed = sorted(
        (
            ChangedNode(
                before.nodes[old],
                after.nodes[new],
                changes[new],
                _reached(new, causes),
            )
            for new, old in moved.items()
        ),
        key=lambda row: (row.after.label, row.after.hash),
    )
    kept = set(pairs.values())
    return LockDiff(
        before=before,
        after=after,
        roots=_roots(before, after),
        added=_sorted(node for dag, node in after.nodes.items() if dag not in kept),
        removed=_sorted(node for dag, node in before.nodes.items() if dag not in pairs),
        changed=tuple(changed),
        causes=causes,
        downgrades=_downgrades(changed),
    )


def _causes(
    changes: Mapping[str, Sequence[Change]], users: Mapping[str, Sequence[str]], after: SpackLock
) -> tuple[Cause, ...]:
    """What moved by itself: the same setting in several packages is one cause."""
    holders: dict[Change, list[str]] = defaultdict(list)
    for dag, own in changes.items():
        for change in own:
            if change.kind in SHARED:
                holders[change].append(dag)
    shared = {
        change: dags
        for change, dags in holders.items()
        if len(dags) > 1 or change.kind == "provider"
    }
    found: list[tuple[tuple[Change, ...], list[str]]]
    found = [((change,), dags) for change, dags in shared.items()]
    for dag, own in changes.items():
        rest = tuple(change for change in own if change not in shared)
        if rest:
            found.append((rest, [dag]))
    causes = [
        Cause(_sorted(after.nodes[dag] for dag in dags), own, _reach(dags, users))
        for own, dags in found
    ]
    return tuple(sorted(causes, key=_rank))


def _rank(cause: Cause) -> tuple[int, list[str], list[str]]:
    return -len(cause.reaches), [row.label for row in cause.packages], [*map(str, cause.changes)]


def _reach(starts: Sequence[str], users: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, int]]:
    """Everything above ``starts``, breadth first: each with the step back, and how many."""
    reaches = {dag: (dag, 0) for dag in starts}
    waiting = deque(starts)
    while waiting:
        dag = waiting.popleft()
        steps = reaches[dag][1] + 1
        for user in users.get(dag, ()):
            if user not in reaches:
                reaches[user] = (dag, steps)
                waiting.append(user)
    return reaches


def _reached(dag: str, causes: Sequence[Cause]) -> tuple[int, ...]:
    found = [index for index, cause in enumerate(causes) if dag in cause.reaches]
    return tuple(sorted(found, key=lambda index: (causes[index].reaches[dag][1], index)))


def _roots(before: SpackLock, after: SpackLock) -> tuple[Change, ...]:
    """Specs that were asked for in one lock only; those of one package are one change."""
    old, new = sorted(before.roots.values()), sorted(after.roots.values())
    gone, come = [s for s in old if s not in new], [s for s in new if s not in old]
    changes = []
    for spec in gone:
        name = _package(spec)
        match = next((other for other in come if _package(other) == name), None)
        if match is not None:
            come.remove(match)
        changes.append(Change("root", name, spec, match))
    return tuple(sorted([*changes, *(Change("root", _package(s), None, s) for s in come)], key=str))


def _package(spec: str) -> str:
    """The name at the front of a spec; the spec itself where it has none."""
    for position, letter in enumerate(spec):
        if not (letter.isalnum() or letter in "-_."):
            return spec[:position] or spec
    return spec


def _downgrades(changed: Sequence[ChangedNode]) -> tuple[Downgrade, ...]:
    found = [
        Downgrade(row.after.name, row.before.version, row.after.version)
        for row in changed
        if row.downgraded
    ]
    for row in changed:
        for change in row.changes:
            if change.kind not in ("dependency", "provider") or not change.before:
                continue
            old, new = change.before.split(" ")[0], (change.after or "").split(" ")[0]
            before, after = old.partition("@")[2], new.partition("@")[2]
            if after and is_downgrade(before, after):
                lower = Downgrade(change.field, before, after, row.after.label)
                if change.kind == "provider":
                    lower = Downgrade(change.field, old, new)
                found.append(lower)
    return tuple(dict.fromkeys(found))


def _sorted(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: (node.label, node.hash)))
