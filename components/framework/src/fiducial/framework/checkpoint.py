"""Checkpoints: the finished ranges of a run that is not finished.

``OUT/.parts`` holds ``fingerprint.json`` and, per range, a part file (events and tables,
checksummed) with a small record beside it.  The record is written last, each in one step, so a
range counts as finished only when all of it is on the disk.  It repeats the identity of the
fingerprint: a record of another identity is never used.  A part that is damaged shows itself
when it is read.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fiducial.core.errors import EnvironmentProblem, FiducialError
from fiducial.core.files import environment_problem, write_atomically
from fiducial.edm import EventBatch
from fiducial.framework.measure import Usage
from fiducial.framework.ranges import EventRange
from fiducial.framework.tables import Tables

PARTS = ".parts"
_FORMAT = 1


class DamagedPart(Exception):  # noqa: N818
    """A part file cannot be read back as it was written."""


@dataclass(frozen=True)
class Checkpoints:
    """The parts in one directory that belong to one fingerprint."""

    directory: Path
    identity: str

    def part(self, work: EventRange) -> Path:
        """The part file of a range."""
        return self.directory / f"{work.first:012d}-{work.stop:012d}.part"

    def record(self, work: EventRange) -> Path:
        """The record of a range; where it stands, the range is finished."""
        return self.part(work).with_suffix(".json")

    def save(
        self, work: EventRange, batch: EventBatch, tables: Tables, usages: Mapping[str, Usage]
    ) -> None:
        """Keep a finished range."""
        from fiducial.io import save_part  # brings awkward: only who computes pays for it

        try:
            save_part(self.part(work), batch, tables)
            record = {
                "format": _FORMAT,
                "identity": self.identity,
                "first": work.first,
                "count": work.count,
                "bytes": self.part(work).stat().st_size,
                "usages": {name: usage.to_dict() for name, usage in usages.items()},
            }
            write_atomically(self.record(work), json.dumps(record))
        except FiducialError:
            raise
        except OSError as error:
            raise environment_problem(f"cannot keep events {work}", error) from error

    def find(self, work: EventRange) -> dict[str, Usage] | None:
        """What a finished range took, or None where it is not finished (or of another run)."""
        try:
            record = json.loads(self.record(work).read_bytes())
            if (
                record["format"] != _FORMAT
                or record["identity"] != self.identity
                or (record["first"], record["count"]) != (work.first, work.count)
                or record["bytes"] != self.part(work).stat().st_size
            ):
                return None
            return {name: Usage.from_dict(usage) for name, usage in record["usages"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def load(self, work: EventRange) -> tuple[EventBatch, Tables]:
        """Events and tables of a finished range; `DamagedPart` where its bytes have changed."""
        from fiducial.io import load_part

        try:
            batch, tables = load_part(self.part(work))
        except MemoryError:
            raise
        except Exception as error:
            raise DamagedPart(f"{self.part(work).name}: {error}") from error
        if batch is None:
            raise DamagedPart(f"{self.part(work).name}: it holds no events")
        return batch, {name: dict(table) for name, table in tables.items()}

    def forget(self, work: EventRange) -> None:
        """Take back a range: it is not finished."""
        self.record(work).unlink(missing_ok=True)
        self.part(work).unlink(missing_ok=True)


def read_fingerprint(directory: Path) -> dict[str, str] | None:
    """The fingerprint of the parts in a directory; None where there is none that can be read."""
    try:
        table = json.loads((directory / "fingerprint.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(table, dict):
        return None
    return {str(name): str(value) for name, value in table.items()}


def write_fingerprint(directory: Path, table: Mapping[str, str]) -> None:
    """Say whose parts a directory holds."""
    write_atomically(
        directory / "fingerprint.json", json.dumps(dict(table), indent=1, sort_keys=True)
    )


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold a run directory against other runs, as long as this process lives."""
    path = out / ".lock"
    busy = EnvironmentProblem(
        f"another run is writing to {out}", hint="wait for it, or choose another --out"
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise environment_problem(f"cannot write to {out}", error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise environment_problem(f"cannot lock {out}", error) from error
        try:  # the run before may have removed the file between open and lock
            if path.stat().st_ino != os.fstat(descriptor).st_ino:
                raise busy
        except FileNotFoundError:
            raise busy from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def discard(directory: Path) -> None:
    """Remove all parts of a directory."""
    shutil.rmtree(directory, ignore_errors=True)
