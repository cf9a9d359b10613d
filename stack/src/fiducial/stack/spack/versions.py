"""In which of a recipe's versions something holds, as Spack's ``when=`` says it.

What holds in all versions needs no condition; what holds in some gets one for each run of
neighbouring versions. Only versions that the recipe names can be meant, so a range from the first
to the last of a run holds exactly these.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from packaging.version import Version

Row = TypeVar("Row", bound=Hashable)


def in_order(versions: Iterable[str]) -> list[str]:
    """Oldest first."""
    return sorted(versions, key=Version)


def runs(held: Iterable[str], versions: Sequence[str]) -> list[str]:
    """The Spack version ranges (``@=1.0``, ``@1.0:1.2``) of the versions ``held``.

    ``versions`` are all that there are, in order; [""] where all of them are held.
    """
    chosen = set(held)
    if chosen == set(versions):
        return [""]
    ranges: list[list[str]] = []
    previous = False
    for version in versions:
        if version in chosen:
            if previous:
                ranges[-1].append(version)
            else:
                ranges.append([version])
        previous = version in chosen
    return [f"@={row[0]}" if len(row) == 1 else f"@{row[0]}:{row[-1]}" for row in ranges]


def conditions(
    rows: Mapping[str, Sequence[Row]], order: Sequence[str] = ()
) -> list[tuple[Row, str]]:
    """Each row of any version with the range of versions that have it.

    ``rows`` maps versions to what they have; ``order`` has them oldest first, where they are not
    all numbers. In the order of the newest version; what only older ones have comes behind.
    """
    versions = order or in_order(rows)
    holders: dict[Row, list[str]] = {}
    for version in reversed(versions):
        for row in rows[version]:
            held = holders.setdefault(row, [])
            if version not in held:
                held.append(version)
    return [(row, when) for row, held in holders.items() for when in runs(held, versions)]
