# mypy: disallow-untyped-defs=False
"""From lists of parents to HepMC3's graph of vertices, in an order that HepMC3 can write.

In HepMC3 a particle ends in at most one vertex. So all particles that share a parent come from
one vertex, and all their parents go into it: where an event record lists different parents
for siblings (a daughter of 1 and 2 beside a daughter of 2 only), each sibling has all of them.

The order is the event's own as far as it goes: a particle comes after its parents, and the
particles that go into one vertex stand together, which always is possible in a graph without
cycles, since each goes into one vertex only.
"""

import numpy as np
from numba import njit

__all__ = ["hepevt_order"]


@njit(cache=True)
def _find(root, i):
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i


@njit(cache=True)
def hepevt_order(objects, parent_offsets, parent_index):
    """Order and parents of all particles, event by event.

    objects         (n_events + 1,) int64   particles of each event
    parent_offsets  (n + 1,) int64, parent_index (m,) int32   counted in the event

    order    (n,) int64       place in its event of the particle to write at each place
    parents  (n, 2) int32     first and last parent (places in the new order), -1 without any
    cycle    the event in which a particle is its own ancestor, or -1
    """
    n = objects[-1]
    order = np.empty(n, dtype=np.int64)
    parents = np.full((n, 2), -1, dtype=np.int32)
    for event in range(len(objects) - 1):
        base = objects[event]
        size = objects[event + 1] - base
        root = np.arange(size)
        for child in range(size):  # all parents of a child go into one vertex
            begin, end = parent_offsets[base + child], parent_offsets[base + child + 1]
            for k in range(begin + 1, end):
                a, b = _find(root, parent_index[begin]), _find(root, parent_index[k])
                root[max(a, b)] = min(a, b)
        following = np.full(size, -1)  # the next particle that goes into the same vertex
        last = np.arange(size)
        for i in range(size):
            r = _find(root, i)
            if r != i:
                following[last[r]] = i
                last[r] = i
        if not _emit(event, base, size, root, following, parent_offsets, parent_index,
                     order, parents):  # fmt: skip
            return order, parents, event
    return order, parents, -1


@njit(cache=True)
def _emit(event, base, size, root, following, parent_offsets, parent_index, order, parents):
    """Groups depth first: the groups of all parents of its members, then its members."""
    state = np.zeros(size, dtype=np.int8)  # of a group: 0 new, 1 waits for others, 2 written
    place = np.full(size, -1)
    stack = np.empty(size + 1, dtype=np.int64)
    written = 0
    for first in range(size):
        group = _find(root, first)
        if state[group] == 2:
            continue
        depth = 0
        stack[0] = group
        while depth >= 0:
            group = stack[depth]
            state[group] = 1
            waits_for = -1
            member = group
            while member >= 0 and waits_for < 0:
                begin = parent_offsets[base + member]
                if begin < parent_offsets[base + member + 1]:
                    above = _find(root, parent_index[begin])
                    if state[above] == 1:
                        return False
                    if state[above] == 0:
                        waits_for = above
                member = following[member]
            if waits_for >= 0:
                depth += 1
                stack[depth] = waits_for
                continue
            member = group
            while member >= 0:
                place[member] = written
                order[base + written] = member
                begin = parent_offsets[base + member]
                if begin < parent_offsets[base + member + 1]:
                    above = _find(root, parent_index[begin])
                    parents[base + written, 0] = place[above]
                    final = above
                    while following[final] >= 0:
                        final = following[final]
                    parents[base + written, 1] = place[final]
                written += 1
                member = following[member]
            state[group] = 2
            depth -= 1
    return True
