"""Look at a directory tree that is to be published: names, modes, links, times, no contents.

Owners are not kept (everything belongs to root; clients show the mounting user anyway). Of
extended attributes those of the ``user.`` namespace are kept. Hard links within one directory
stay hard links; over several directories a catalog cannot say them, so the names become
separate files with one content. Devices and sockets are refused.
"""

# Names are bytes, or there are tens of thousands of them: no pathlib.
# ruff: noqa: PTH112, PTH114, PTH115, PTH116

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fiducial.stack.cvmfs import xattrs
from fiducial.stack.cvmfs.catalog_schema import DIRECTORY_SIZE, MARKER, MAX_FILE_SIZE, Flag
from fiducial.stack.cvmfs.entry import Entry, directory
from fiducial.stack.cvmfs.path_hash import show
from fiducial.stack.errors import InputError, Mistake, Mistakes, from_os_error

SETUID = ("refuse", "drop", "keep")


@dataclass(frozen=True)
class ScanPolicy:
    """What to make of things that a repository cannot or should not hold.

    ``mtime``: None keeps times, a number [s since 1970] replaces every one. ``setuid``: what
    to do with setuid and setgid files. ``variants``: whether ``$(`` in the target of a symlink
    is meant for clients to expand. ``nanoseconds``: keep them.
    """

    mtime: int | None = None
    setuid: str = "refuse"
    variants: bool = False
    nanoseconds: bool = False
    xattrs: bool = True


class SourceFile(NamedTuple):
    """A regular file of the tree: how to read it, and what tells that it did not change."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """The same for all hard links of one file."""
        return self.device, self.inode


@dataclass(slots=True)
class Node:
    """A file (``source``) or directory (``children``, by name) or anything else of the tree."""

    entry: Entry
    source: SourceFile | None = None
    children: list[Node] | None = None
    linked: bool = False
    weight: int = 1


@dataclass
class ScannedTree:
    """A tree: its top directory, how many files and bytes, and what may surprise a user."""

    root: Node
    files: int = 0
    bytes: int = 0
    warnings: list[Mistake] = field(default_factory=list)

    def sources(self) -> Iterator[SourceFile]:
        """Every regular file once, hard links counted as one."""
        seen = set()
        pending = [self.root]
        while pending:
            for child in pending.pop().children or ():
                if child.source is not None:
                    if child.linked:
                        if child.source.key in seen:
                            continue
                        seen.add(child.source.key)
                    yield child.source
                elif child.children is not None:
                    pending.append(child)


def scan_tree(root: Path, policy: ScanPolicy = ScanPolicy()) -> ScannedTree:
    """Look at everything below ``root``. Raises Mistakes with all that cannot be published."""
    top = os.fspath(root)
    if not os.path.isdir(top) or os.path.islink(top):
        raise InputError(f"{top} is no directory", None, "name the folder to publish")
    return _Scan(top, policy).run()


class _Scan:
    def __init__(self, top: str, policy: ScanPolicy) -> None:
        self.top, self.policy = top, policy
        self.mistakes: list[Mistake] = []
        self.spread: dict[tuple[int, int], str] = {}
        self.tree = ScannedTree(Node(directory(b"", 0o755, 0), None, []))
        self.tree.root.entry = self._directory(b"", os.stat(top), top)
        self.kinds: dict[int, Callable[[bytes, os.stat_result, str], Node | None]] = {
            stat.S_IFREG: self._file, stat.S_IFLNK: self._symlink, stat.S_IFIFO: self._fifo,
        }  # fmt: skip

    def run(self) -> ScannedTree:
        order: list[Node] = []
        pending = [(self.tree.root, self.top)]
        while pending:
            node, path = pending.pop()
            order.append(node)
            for child, below in self._list(node, path):
                if child.children is not None:
                    pending.append((child, below))
        for node in reversed(order):
            children = node.children or []
            node.weight = 1 + sum(child.weight for child in children)
            directories = sum(child.children is not None for child in children)
            node.entry = node.entry._replace(links=2 + directories)
        if self.mistakes:
            raise Mistakes(self.mistakes, self.top)
        return self.tree

    def _list(self, node: Node, path: str) -> list[tuple[Node, str]]:
        children: list[tuple[Node, str]] = []
        try:
            with os.scandir(path) as found:
                for item in found:
                    below = item.path
                    status = item.stat(follow_symlinks=False)
                    made = self._node(os.fsencode(item.name), status, below)
                    if made is not None:
                        children.append((made, below))
        except OSError as error:
            raise from_os_error(error, "read", error.filename or path) from error
        children.sort(key=lambda pair: pair[0].entry.name)
        node.children = [child for child, _ in children]
        return children

    def _node(self, name: bytes, status: os.stat_result, path: str) -> Node | None:
        kind = stat.S_IFMT(status.st_mode)
        if name == MARKER and kind != stat.S_IFREG:
            self._mistake(path, "it has the name of a catalog marker and is no file", "rename it")
        if kind == stat.S_IFDIR:
            return Node(self._directory(name, status, path), None, [])
        make = self.kinds.get(kind)
        if make is None:
            self._mistake(path, "a device or socket cannot be published", "remove it")
            return None
        return make(name, status, path)

    def _entry(
        self,
        name: bytes,
        status: os.stat_result,
        size: int,
        flags: int,
        attributes: bytes | None = None,
    ) -> Entry:
        mtime = self.policy.mtime
        nanoseconds = None
        if mtime is None:
            mtime, rest = divmod(status.st_mtime_ns, 1_000_000_000)
            nanoseconds = rest if self.policy.nanoseconds else None
        return Entry(
            name, status.st_mode, size, mtime, flags, None, b"", 1, 0, nanoseconds, 0, 0, attributes
        )

    def _directory(self, name: bytes, status: os.stat_result, path: str) -> Entry:
        if status.st_mode & 0o005 != 0o005:
            self._warn(path, f"mode {stat.S_IMODE(status.st_mode):04o}: not everybody can enter it")
        return self._entry(name, status, DIRECTORY_SIZE, Flag.DIRECTORY, self._xattrs(path))

    def _file(self, name: bytes, status: os.stat_result, path: str) -> Node:
        entry = self._entry(name, status, status.st_size, Flag.FILE, self._xattrs(path))
        mode = status.st_mode
        if mode & (stat.S_ISUID | stat.S_ISGID):
            if self.policy.setuid == "refuse":
                self._mistake(path, "it is setuid or setgid", "chmod it, or say drop or keep")
            elif self.policy.setuid == "drop":
                entry = entry._replace(mode=mode & ~(stat.S_ISUID | stat.S_ISGID))
        if not mode & stat.S_IROTH:
            self._warn(path, f"mode {stat.S_IMODE(mode):04o}: not everybody can read it")
        if status.st_size > MAX_FILE_SIZE:
            self._warn(path, f"{status.st_size >> 20} MiB: it fills clients' caches")
        source = SourceFile(
            path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns,
            status.st_ctime_ns,
        )  # fmt: skip
        linked = status.st_nlink > 1
        if linked:
            folder = path.rpartition("/")[0]
            if self.spread.setdefault(source.key, folder) != folder:
                self._warn(path, "a hard link over directories: it becomes a file of its own")
        self.tree.files += 1
        self.tree.bytes += status.st_size
        return Node(entry, source, None, linked)

    def _symlink(self, name: bytes, status: os.stat_result, path: str) -> Node:
        target = os.fsencode(os.readlink(path))
        if b"$(" in target and not self.policy.variants:
            self._mistake(
                path, f"clients expand $( in its target {show(target)}",
                "change the target, or allow variant symlinks if this is meant",
            )  # fmt: skip
        entry = self._entry(name, status, len(target), Flag.SYMLINK)
        return Node(entry._replace(symlink=target))

    def _fifo(self, name: bytes, status: os.stat_result, path: str) -> Node:
        return Node(self._entry(name, status, 0, Flag.SPECIAL_FILE))

    def _xattrs(self, path: str) -> bytes | None:
        if not self.policy.xattrs:
            return None
        try:
            names = os.listxattr(path, follow_symlinks=False)
            if not names:
                return None
            return xattrs.pack(
                {
                    os.fsencode(name): os.getxattr(path, name, follow_symlinks=False)
                    for name in names
                    if name.startswith("user.")
                }
            )
        except ValueError as error:
            self._mistake(path, str(error), "remove the attribute")
        except OSError:
            pass  # a file system without extended attributes
        return None

    def _mistake(self, path: str, problem: str, hint: str) -> None:
        self.mistakes.append(Mistake(show(os.fsencode(path)), problem, hint))

    def _warn(self, path: str, problem: str) -> None:
        self.tree.warnings.append(Mistake(show(os.fsencode(path)), problem))
