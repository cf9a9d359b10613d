"""What a catalog promises beyond being readable: link counts, groups, markers, counters.

Clients do not care about most of it; CernVM-FS's checker about some; the rest nobody notices
until a tool relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fiducial.stack.cvmfs import statistics, xattrs
from fiducial.stack.cvmfs.catalog import Catalog, Listing
from fiducial.stack.cvmfs.catalog_schema import (
    COUNTERS,
    MARKER,
    MAX_ENTRIES_NESTED,
    MAX_ENTRIES_ROOT,
    Flag,
)
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.faults import Fault, FaultKind
from fiducial.stack.cvmfs.path_hash import show


def judge_catalog(catalog: Catalog, below: statistics.Counts | None = None) -> Iterator[Fault]:
    """Every broken promise of ``catalog``; ``below`` is the sum over all catalogs nested in it."""
    nested = bool(catalog.prefix)
    flags = catalog.root.flags & (Flag.NESTED_MOUNTPOINT | Flag.NESTED_ROOT)
    if flags != (Flag.NESTED_ROOT if nested else 0):
        detail = f"root entry has flags {catalog.root.flags}, not {33 if nested else 1}"
        yield Fault(FaultKind.NESTED_FLAGS, show(catalog.prefix), detail)
    entries = 0
    for path, entry in catalog.walk():
        entries += 1
        if path != catalog.prefix:
            yield from _judge_entry(catalog, path, entry)
    for path, listing in catalog.directories.items():
        yield from _judge_directory(catalog, path, listing)
    yield from _judge_references(catalog)
    most = MAX_ENTRIES_NESTED if nested else MAX_ENTRIES_ROOT
    if entries > most:
        detail = f"{entries}, recommended at most {most}"
        yield Fault(FaultKind.TOO_MANY_ENTRIES, show(catalog.prefix), detail)
    counted = statistics.count(entry for _, entry in catalog.walk())
    yield from _compare(catalog, "self_", counted, catalog.statistics.own)
    if below is not None:
        yield from _compare(catalog, "subtree_", below, catalog.statistics.subtree)


def _compare(
    catalog: Catalog, part: str, counted: statistics.Counts, stored: statistics.Counts
) -> Iterator[Fault]:
    for name in COUNTERS:
        if counted[name] != stored[name]:
            detail = f"{part}{name} is {stored[name]}, counted {counted[name]}"
            yield Fault(FaultKind.WRONG_COUNTER, show(catalog.prefix), detail)


def _judge_entry(catalog: Catalog, path: bytes, entry: Entry) -> Iterator[Fault]:
    where = show(path)
    if entry.flags & Flag.NESTED_ROOT:
        detail = f"flags {entry.flags}: nested root inside a catalog"
        yield Fault(FaultKind.NESTED_FLAGS, where, detail)
    if entry.links == 0:
        yield Fault(FaultKind.LINK_COUNT, where, "0")
    if entry.is_symlink and not entry.flags & Flag.FILE:
        yield Fault(FaultKind.SYMLINK_FLAGS, where, f"flags {entry.flags}")
    if entry.is_symlink and entry.size != len(entry.symlink):
        detail = f"{entry.size}, the target has {len(entry.symlink)} bytes"
        yield Fault(FaultKind.SYMLINK_SIZE, where, detail)
    if not entry.is_symlink and entry.symlink:
        yield Fault(FaultKind.SYMLINK_FLAGS, where, "a target, and no symlink")
    if not entry.is_regular and not entry.is_directory and entry.raw is not None:
        yield Fault(FaultKind.STRAY_DIGEST, where, entry.kind)
    if entry.is_special and entry.size:
        yield Fault(FaultKind.SPECIAL_FILE, where, f"size {entry.size}, not 0")
    if entry.is_external and not entry.is_regular:
        yield Fault(FaultKind.UNKNOWN_FLAGS, where, f"an external {entry.kind}")
    if entry.flags & Flag.DIRECT_IO and not entry.is_regular:
        yield Fault(FaultKind.UNKNOWN_FLAGS, where, f"direct input and output for a {entry.kind}")
    if entry.is_directory and entry.group:
        yield Fault(FaultKind.HARDLINKS, where, "a directory in a hard-link group")
    try:
        xattrs.unpack(entry.xattr)
    except ValueError as error:
        yield Fault(FaultKind.BAD_XATTRS, where, str(error))
    if path.endswith(b"/" + MARKER):
        if path != catalog.prefix + b"/" + MARKER:
            yield Fault(FaultKind.MARKER_ABANDONED, where, "no catalog begins here")
        elif not entry.is_regular:
            yield Fault(FaultKind.MARKER_MISSING, where, f"it is a {entry.kind}")


def _judge_directory(catalog: Catalog, path: bytes, listing: Listing) -> Iterator[Fault]:
    entry = catalog.lookup(path)
    wanted = 2 + sum(item.is_directory for item in listing.values())
    if entry is not None and entry.links != wanted:
        yield Fault(FaultKind.LINK_COUNT, show(path), f"{entry.links}, expected {wanted}")
    if path == catalog.prefix and path and MARKER not in listing:
        yield Fault(FaultKind.MARKER_MISSING, show(path), "no .cvmfscatalog")
    groups: dict[int, list[Entry]] = {}
    for name, item in listing.items():
        if item.is_directory:
            continue
        if item.group:
            groups.setdefault(item.group, []).append(item)
        elif item.links > 1:
            where = show(path + b"/" + name)
            yield Fault(FaultKind.HARDLINKS, where, f"{item.links} links and no group")
    for group, members in groups.items():
        where = show(path + b"/" + members[0].name)
        if any(member.links != len(members) for member in members):
            detail = f"group {group} has {len(members)} members, {members[0].links} links"
            yield Fault(FaultKind.HARDLINKS, where, detail)
        if len({member._replace(name=b"") for member in members}) > 1:
            yield Fault(FaultKind.HARDLINKS, where, f"members of group {group} differ")


def _judge_references(catalog: Catalog) -> Iterator[Fault]:
    mounts = {path: entry for path, entry in catalog.walk() if entry.is_mountpoint}
    mounts.pop(catalog.prefix, None)
    for path in mounts.keys() - catalog.nested.keys():
        yield Fault(FaultKind.NESTED_UNREGISTERED, show(path), "no row in nested_catalogs")
    for path in catalog.nested.keys() - mounts.keys():
        yield Fault(FaultKind.NESTED_FLAGS, show(path), "a nested catalog and no mount point")
    binds = {path for path, entry in catalog.walk() if entry.flags & Flag.BIND_MOUNTPOINT}
    for path in binds ^ catalog.binds.keys():
        yield Fault(FaultKind.NESTED_FLAGS, show(path), "bind mount point and its row disagree")


def judge_mountpoint(parent: Catalog, child: Catalog) -> Iterator[Fault]:
    """Whether the mount point in ``parent`` and the root of ``child`` say the same."""
    mount = parent.lookup(child.prefix)
    if mount is None:
        return
    if mount.flags & 3 != 3 or mount.flags & Flag.NESTED_ROOT:
        detail = f"mount point has flags {mount.flags}, not 3"
        yield Fault(FaultKind.NESTED_FLAGS, show(child.prefix), detail)
    for name in ("links", "size", "mode", "mtime", "xattr", "uid", "gid"):
        ours, theirs = getattr(mount, name), getattr(child.root, name)
        if ours != theirs:
            detail = f"{name}: {ours!r} in the parent, {theirs!r} in the nested catalog"
            yield Fault(FaultKind.MOUNTPOINT_DIFFERS, show(child.prefix), detail)
