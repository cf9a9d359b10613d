"""Which directories of a published tree begin a catalog of their own.

The published directory itself always does, so that a release touches its own catalogs and the
path to the root only. Below it: directories that hold the marker ``.cvmfscatalog``; directories
that match a pattern (by default the packages of a Python prefix) and are large enough to pay;
and the heaviest directories of whatever is still too large.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from fiducial.stack.cvmfs.catalog_schema import MARKER
from fiducial.stack.cvmfs.tree_scan import Node

PACKAGES = ("lib/python*/site-packages/*", "packages/*")
"""One package a directory: in a prefix of wheels, and in a tree of packages."""


@dataclass(frozen=True)
class NestingRule:
    """``patterns`` are relative to the published directory, ``*`` within one name; ``minimum``
    and ``maximum`` are numbers of entries: below the one a pattern is not followed, above the
    other a catalog is split."""

    patterns: tuple[str, ...] = PACKAGES
    minimum: int = 1000
    maximum: int = 100_000


def choose_nested(root: Node, rule: NestingRule) -> set[int]:
    """``id`` of every node below ``root`` that begins a catalog."""
    patterns = [tuple(pattern.strip("/").split("/")) for pattern in rule.patterns]
    chosen: set[int] = set()
    order: list[Node] = []
    pending: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while pending:
        node, path = pending.pop()
        order.append(node)
        for child in node.children or ():
            if child.children is None:
                continue
            below = (*path, child.entry.name.decode("utf-8", "surrogateescape"))
            pending.append((child, below))
            marked = any(item.entry.name == MARKER for item in child.children)
            wanted = child.weight >= rule.minimum and any(_matches(below, p) for p in patterns)
            if marked or wanted:
                chosen.add(id(child))
    _split(order, chosen, rule)
    return chosen


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))


def _split(order: list[Node], chosen: set[int], rule: NestingRule) -> None:
    own: dict[int, int] = {}  # entries that stay in the catalog of the node
    for node in reversed(order):
        directories = [child for child in node.children or () if child.children is not None]
        inside = [child for child in directories if id(child) not in chosen]
        weight = 1 + len(node.children or ()) - len(inside)
        weight += sum(own[id(child)] for child in inside)
        for child in sorted(inside, key=lambda item: own[id(item)], reverse=True):
            if weight <= rule.maximum or own[id(child)] < 2:
                break
            chosen.add(id(child))
            weight -= own[id(child)] - 1
        own[id(node)] = weight
