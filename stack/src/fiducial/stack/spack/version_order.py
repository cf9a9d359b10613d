"""The order of versions as Spack has it, to tell a downgrade from an upgrade.

A version is a row of numbers and words. Words are lower than numbers, except the names of
branches, which are higher than all of them (``develop`` highest); ``alpha``, ``beta`` and ``rc`` at
the end come before the release. Documentation of Spack, "Version comparison". A version that is a
commit alone (``git.<sha>`` without ``=x.y``) has no place in the order.
"""

from __future__ import annotations

import re

_BRANCHES = ("stable", "nightly", "trunk", "head", "master", "main", "develop")
_EARLY = {"alpha": 0, "beta": 1, "rc": 2, "final": 3}
_FINAL = (3,)
_SEGMENT = re.compile(r"[0-9]+|[a-zA-Z]+")

Component = tuple[int, int, str]
Key = tuple[tuple[Component, ...], tuple[int, ...]]


def version_key(version: str) -> Key | None:
    """A key that sorts versions as Spack does; None where the version has no place."""
    if version.startswith("git.") or re.fullmatch(r"[0-9a-f]{40}(=.+)?", version):
        version = version.partition("=")[2]
        if not version:
            return None
    segments = _SEGMENT.findall(version)
    early: tuple[int, ...] = _FINAL
    if len(segments) >= 3 and segments[-2] in _EARLY and segments[-1].isdigit():
        early, segments = (_EARLY[segments[-2]], int(segments[-1])), segments[:-2]
    elif len(segments) >= 2 and segments[-1] in _EARLY:
        early, segments = (_EARLY[segments[-1]],), segments[:-1]
    return tuple(_component(text) for text in segments), early


def _component(text: str) -> Component:
    if text.isdigit():
        return (1, int(text), "")
    if text in _BRANCHES:
        return (2, _BRANCHES.index(text), "")
    return (0, 0, text)


def is_downgrade(before: str, after: str) -> bool:
    """Whether ``after`` is a lower version than ``before``, as Spack orders them."""
    old, new = version_key(before), version_key(after)
    return old is not None and new is not None and new < old
