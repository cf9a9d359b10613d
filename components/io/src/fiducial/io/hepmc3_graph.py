# mypy: disallow-untyped-defs=False
"""From lists of parents to HepMC3's graph of vertices, in an order that HepMC3 can write.

In HepMC3 a particle ends in at most one vertex. So all particles that share a parent come from
one vertex, and all their parents go into it: where an event record lists different parents
for siblings (a daughter of 1 and 2 beside a daughter of 2 only), each sibling has all of them.

The order is the event's own as far as it goes: a particle comes after its parents, and the
particles that go into one vertex stand together, which always is possible in a graph without
cycles, since each goes into one vertex only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from fiducial.core.device import launch

__all__ = ["hepevt_order"]

Array = npt.NDArray[Any]


def hepevt_order(
    objects: Array, parent_offsets: Array, parent_index: Array
) -> tuple[Array, Array, int]:
    """Order and parents of all particles, event by event.

    objects         (n_events + 1,) int64   particles of each event
    parent_offsets  (n + 1,) int64, parent_index (m,) int32   counted in the event

    order    (n,) int64       place in its event of the particle to write at each place
    parents  (n, 2) int32     first and last parent (places in the new order), -1 without any
    cycle    the first event in which a particle is its own ancestor, or -1
    """
    n, n_events = int(objects[-1]), len(objects) - 1
    order = np.empty(n, dtype=np.int64)
    parents = np.full((n, 2), -1, dtype=np.int32)
    has_cycle = np.zeros(n_events, dtype=np.bool_)
    groups, state = np.empty((n, 5), dtype=np.int64), np.zeros(n, dtype=np.int8)
    launch(_order_event, n_events, objects, parent_offsets, parent_index, groups, state, order,
           parents, has_cycle, threads=1)  # fmt: skip
    cycles = np.flatnonzero(has_cycle)
    return order, parents, int(cycles[0]) if len(cycles) else -1


# Columns of ``groups``, the scratch space of an event. A group is the set of particles that go
# into one vertex (or one particle without daughters), named by its first member.
_ROOT, _FOLLOWING, _LAST, _PLACE, _STACK = range(5)
_NEW, _WAITING, _WRITTEN = range(3)


@njit
def _find(own, i):
    """The group of a particle (union-find with path halving)."""
    while own[i, _ROOT] != i:
        own[i, _ROOT] = own[own[i, _ROOT], _ROOT]
        i = own[i, _ROOT]
    return i


@njit
def _order_event(
    event, objects, parent_offsets, parent_index, groups, state, order, parents, has_cycle
):
    """Kernel: group the particles of one event, then write the groups depth first."""
    base = objects[event]
    size = objects[event + 1] - base
    own = groups[base : base + size]
    for i in range(size):
        own[i, _ROOT] = i
        own[i, _FOLLOWING] = -1
        own[i, _LAST] = i
    for child in range(size):  # all parents of a child go into one vertex
        begin, end = parent_offsets[base + child], parent_offsets[base + child + 1]
        for k in range(begin + 1, end):
            a, b = _find(own, parent_index[begin]), _find(own, parent_index[k])
            own[max(a, b), _ROOT] = min(a, b)
    for i in range(size):
        r = _find(own, i)
        if r != i:
            own[own[r, _LAST], _FOLLOWING] = i
            own[r, _LAST] = i
    written = 0
    for first in range(size):
        group = _find(own, first)
        if state[base + group] == _WRITTEN:
            continue
        depth = 0
        own[0, _STACK] = group
        while depth >= 0:
            group = own[depth, _STACK]
            state[base + group] = _WAITING
            waits_for = _unwritten_parent(base, group, own, state, parent_offsets, parent_index)
            if waits_for == -2:
                has_cycle[event] = True
                return
            if waits_for >= 0:
                depth += 1
                own[depth, _STACK] = waits_for
                continue
            member = group
            while member >= 0:
                own[member, _PLACE] = written
                order[base + written] = member
                begin = parent_offsets[base + member]
                if begin < parent_offsets[base + member + 1]:
                    above = _find(own, parent_index[begin])
                    parents[base + written, 0] = own[above, _PLACE]
                    parents[base + written, 1] = own[own[above, _LAST], _PLACE]
                written += 1
                member = own[member, _FOLLOWING]
            state[base + group] = _WRITTEN
            depth -= 1


@njit
def _unwritten_parent(base, group, own, state, parent_offsets, parent_index):
    """A group that must be written before ``group``; -1 if none, -2 if it waits for ``group``."""
    member = group
    while member >= 0:
        begin = parent_offsets[base + member]
        if begin < parent_offsets[base + member + 1]:
            above = _find(own, parent_index[begin])
            if state[base + above] == _WAITING:
                return -2
            if state[base + above] == _NEW:
                return above
        member = own[member, _FOLLOWING]
    return -1
