"""Take a part of a repository out into a directory, in parallel, and go on where it was left.

Written into a folder of its own that nobody else writes to: directories first, then files each
aside and renamed when whole and verified, then hard links, links, modes and times. A file that
is there already with the right size, time and mode is taken to be the one: both are set last.
Symbolic links that lead out of the extracted tree are refused unless allowed;
nothing is ever written through a link. Setuid and setgid bits are dropped unless kept.
"""

# Names are bytes, or there are tens of thousands of them: no pathlib.
# ruff: noqa: PTH101, PTH102, PTH103, PTH104, PTH108, PTH211

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fiducial.stack.cvmfs import xattrs
from fiducial.stack.cvmfs.catalog_schema import MARKER
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.faults import Fault, FaultKind, RefusedRepository
from fiducial.stack.cvmfs.path_hash import show
from fiducial.stack.cvmfs.reader import RepositoryView
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.files import ASIDE

_ASIDE = os.fsencode(ASIDE)


@dataclass(frozen=True)
class ExtractPolicy:
    """What to do with what is unsafe or not content."""

    outside_links: bool = False
    setuid: bool = False
    markers: bool = False
    workers: int = 8


@dataclass
class Extracted:
    """What was done."""

    files: int = 0
    bytes: int = 0
    reused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def wrote(self, size: int) -> None:
        with self._lock:
            self.files += 1
            self.bytes += size

    def kept(self) -> None:
        with self._lock:
            self.reused += 1


Item = tuple[bytes, bytes, Entry]
"""Path in the repository, path in the target, entry."""


def extract(
    view: RepositoryView,
    path: bytes,
    target: Path,
    policy: ExtractPolicy = ExtractPolicy(),
    advance: Callable[[int], None] | None = None,
) -> Extracted:
    """Write what is at and below directory ``path`` into ``target``."""
    if not view.lookup(path).is_directory:
        raise InputError(f"{show(path)} is no directory", None, "name a directory to extract")
    top = os.fsencode(target)
    items = _plan(view, path, top, policy)
    done = Extracted()
    try:
        _make_directories(items, top)
        leaders, followers = _split_links(items)
        _write_files(view, leaders, policy, done, advance)
        for leader, (_, place, _) in followers:
            _put(place, partial(os.link, leader))
        for _, place, entry in items:
            if entry.is_symlink:
                _put(place, partial(_symlink, entry))
            elif entry.is_special and stat.S_ISFIFO(entry.mode):
                _put(place, partial(_fifo, entry))
        for _, place, entry in reversed(items):
            if entry.is_directory:
                _finish(place, entry, policy)
    except OSError as error:
        if hasattr(error, "exit_code"):  # it has been explained already
            raise
        raise from_os_error(error, "extract to", target) from error
    return done


def _plan(view: RepositoryView, path: bytes, top: bytes, policy: ExtractPolicy) -> list[Item]:
    items: list[Item] = []
    faults: list[Fault] = []
    total = 0
    for place, entry in view.walk(path):
        inside = place[len(path) :]
        if entry.name == MARKER and entry.is_regular and inside and not policy.markers:
            continue
        if entry.is_symlink and not policy.outside_links and _leads_out(inside, entry.symlink):
            detail = f"it leads to {show(entry.symlink)}"
            faults.append(Fault(FaultKind.SYMLINK_ESCAPE, show(place), detail))
        if entry.is_special and not stat.S_ISFIFO(entry.mode):
            faults.append(Fault(FaultKind.SPECIAL_FILE, show(place), "a device or socket"))
        if entry.is_external:
            faults.append(Fault(FaultKind.NO_DIGEST, show(place), "its content lies elsewhere"))
        total += entry.size if entry.is_regular else 0
        items.append((place, top + inside, entry))
    if total > view.limits.bytes:
        detail = f"{total} bytes, the limit is {view.limits.bytes}"
        faults.append(Fault(FaultKind.TOO_MUCH, show(path), detail))
    if faults:
        raise RefusedRepository(show(path), faults, "allow links to the outside if you trust them")
    return items


def _leads_out(inside: bytes, target: bytes) -> bool:
    """Whether a link at ``inside`` (below the top) leads out of the top."""
    if target.startswith(b"/"):
        return True
    depth = inside.count(b"/") - 1
    for part in target.split(b"/"):
        if part == b"..":
            depth -= 1
            if depth < 0:
                return True
        elif part not in (b"", b"."):
            depth += 1
    return False


def _make_directories(items: Sequence[Item], top: bytes) -> None:
    os.makedirs(top, exist_ok=True)
    for _, place, entry in items:
        if not entry.is_directory:
            continue
        try:
            os.mkdir(place, 0o700)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                raise InputError(
                    f"{show(place)} is in the way", "a directory belongs there", "remove it"
                ) from None
            if place != top or os.geteuid() == os.lstat(place).st_uid:
                os.chmod(place, 0o700)  # it may have its final mode already


def _split_links(items: Sequence[Item]) -> tuple[list[Item], list[tuple[bytes, Item]]]:
    """Files to write, and names that become hard links of one of these."""
    leaders: list[Item] = []
    followers: list[tuple[bytes, Item]] = []
    first: dict[tuple[bytes, int], bytes] = {}
    for item in items:
        path, place, entry = item
        if not entry.is_regular:
            continue
        if entry.group:
            key = (path.rpartition(b"/")[0], entry.group)
            if key in first:
                followers.append((first[key], item))
                continue
            first[key] = place
        leaders.append(item)
    return leaders, followers


def _write_files(
    view: RepositoryView,
    files: list[Item],
    policy: ExtractPolicy,
    done: Extracted,
    advance: Callable[[int], None] | None,
) -> None:
    numbers = iter(range(len(files)))
    lock, failed = threading.Lock(), threading.Event()

    def worker() -> None:
        while not failed.is_set():
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                _write_file(view, files[number], policy, done)
            except BaseException:
                failed.set()
                raise
            if advance is not None:
                advance(1)

    with ThreadPoolExecutor(policy.workers) as pool:
        futures = [pool.submit(worker) for _ in range(policy.workers)]
        wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            future.result()


def _write_file(view: RepositoryView, item: Item, policy: ExtractPolicy, done: Extracted) -> None:
    path, place, entry = item
    if _is_there(place, entry, policy):
        done.kept()
        return
    aside = _aside(place)
    descriptor = os.open(
        aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        for piece in view.pieces(path, entry):
            left = memoryview(piece)
            while left:
                left = left[os.write(descriptor, left) :]
        _set_xattrs(descriptor, entry)
        os.fchmod(descriptor, _mode(entry, policy))
        os.utime(descriptor, ns=(_nanoseconds(entry), _nanoseconds(entry)))
    except BaseException:
        os.unlink(aside)
        raise
    finally:
        os.close(descriptor)
    os.rename(aside, place)
    done.wrote(entry.size)


def _is_there(place: bytes, entry: Entry, policy: ExtractPolicy) -> bool:
    """Whether an earlier extraction finished this file: its time and mode are set last."""
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return False
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == entry.size
        and status.st_mtime_ns == _nanoseconds(entry)
        and stat.S_IMODE(status.st_mode) == _mode(entry, policy)
    )


def _put(place: bytes, make: Callable[[bytes], object]) -> None:
    """Make a name aside and rename it into place."""
    aside = _aside(place)
    if os.path.lexists(aside):
        os.unlink(aside)
    make(aside)
    os.rename(aside, place)
    if os.path.lexists(aside):
        os.unlink(aside)  # rename does nothing where both names are one file already


def _aside(place: bytes) -> bytes:
    """A short name beside ``place``: a name may have all of the 255 bytes already."""
    folder, _, name = place.rpartition(b"/")
    return folder + b"/" + _ASIDE + name[:100] + b"%08x" % (hash(name) & 0xFFFFFFFF)


def _symlink(entry: Entry, name: bytes) -> None:
    os.symlink(entry.symlink, name)
    time = _nanoseconds(entry)
    os.utime(name, ns=(time, time), follow_symlinks=False)


def _fifo(entry: Entry, name: bytes) -> None:
    os.mkfifo(name, 0o600)
    os.chmod(name, stat.S_IMODE(entry.mode))
    os.utime(name, ns=(_nanoseconds(entry), _nanoseconds(entry)))


def _finish(place: bytes, entry: Entry, policy: ExtractPolicy) -> None:
    _set_xattrs(place, entry)
    os.utime(place, ns=(_nanoseconds(entry), _nanoseconds(entry)))
    os.chmod(place, _mode(entry, policy))


def _set_xattrs(place: bytes | int, entry: Entry) -> None:
    for key, value in xattrs.unpack(entry.xattr).items():
        if key.startswith(b"user."):
            os.setxattr(place, key, value)


def _mode(entry: Entry, policy: ExtractPolicy) -> int:
    mode = stat.S_IMODE(entry.mode)
    if not policy.setuid and not entry.is_directory:
        mode &= ~(stat.S_ISUID | stat.S_ISGID)
    return mode


def _nanoseconds(entry: Entry) -> int:
    return entry.mtime * 1_000_000_000 + (entry.mtimens or 0)
