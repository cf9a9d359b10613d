"""Which node of one lock is which of another.

By name. A lock may hold several nodes of one name (build tools in different versions): those with
the same hash are the same, the others are paired by how much they and those who use them agree,
the best pair first; what is left came or went.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from fiducial.stack.spack.lock_graph import Node, SpackLock


def pair_nodes(before: SpackLock, after: SpackLock) -> dict[str, str]:
    """Hash in ``before`` -> hash in ``after`` of every node that is in both."""
    old, new = _by_name(before), _by_name(after)
    pairs: dict[str, str] = {}
    users: tuple[Mapping[str, set[str]], Mapping[str, set[str]]] | None = None
    for name, was in old.items():
        now = new.get(name, {})
        for dag in was.keys() & now.keys():
            pairs[dag] = dag
        left = [was[dag] for dag in was if dag not in now]
        free = [now[dag] for dag in now if dag not in was]
        if len(left) == len(free) == 1:
            pairs[left[0].hash] = free[0].hash
        elif left and free:
            users = users or (_users(before), _users(after))
            pairs |= _likest(left, free, users)
    return pairs


def _by_name(lock: SpackLock) -> dict[str, dict[str, Node]]:
    found: dict[str, dict[str, Node]] = defaultdict(dict)
    for dag, node in sorted(lock.nodes.items(), key=lambda row: (row[1].label, row[0])):
        found[node.name][dag] = node
    return found


def _users(lock: SpackLock) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for node in lock.nodes.values():
        for edge in node.edges:
            found[edge.hash].add(node.name)
    return found


def _likest(
    left: list[Node],
    free: list[Node],
    users: tuple[Mapping[str, set[str]], Mapping[str, set[str]]],
) -> dict[str, str]:
    def unlike(one: Node, other: Node) -> tuple[int, int, int]:
        keys = one.content.keys() | other.content.keys()
        attributes = sum(one.content.get(key) != other.content.get(key) for key in keys)
        around = len(users[0].get(one.hash, set()) ^ users[1].get(other.hash, set()))
        needs = len({edge.name for edge in one.edges} ^ {edge.name for edge in other.edges})
        return attributes, around, needs

    ranked = sorted(
        (unlike(one, other), row, column)
        for row, one in enumerate(left)
        for column, other in enumerate(free)
    )
    rows: set[int] = set()
    columns: set[int] = set()
    pairs = {}
    for _, row, column in ranked:
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs[left[row].hash] = free[column].hash
    return pairs
