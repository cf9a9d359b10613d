"""A ledger: numbered, signed, chained records in one folder; the last one counts.

``<name>/00000003.dsse.json`` is record 3 of ledger ``<name>``. A record names its
repository, its ledger, its number and the digest of the record before it, all under the
signature, so that a record can neither be copied elsewhere, nor replayed, nor left out in the
middle. A new record is written aside, made durable, and put in place by ``link``, which fails
where the number is taken: of two writers that both saw record 2, exactly one makes record 3.
No lock is held, so none can be left behind.

What a ledger cannot see is the loss of its newest records (a rollback of the disk); a reader
that remembers the last number it saw can (``fiducial.stack.deploy`` does).
"""

from __future__ import annotations

import json
import os
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fiducial.stack import dsse
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.files import fsync_directory, sha256_bytes
from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.refusals import Failure, Refusal, Refused

PAYLOAD_TYPE = "application/vnd.fiducial.record+json"
FORMAT = 1
_FILE = re.compile(r"^(\d{8})\.dsse\.json$")
_NAME = re.compile(r"^(channels|releases)/[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$")


@dataclass(frozen=True)
class Record:
    """One record whose signature held."""

    ledger: str
    revision: int
    previous: str | None
    when: str
    body: dict[str, Any]
    key_id: str
    sha256: str
    """Of the whole envelope."""


class LedgerFolder:
    """The ledgers below ``root``, of the repository ``repository_id``."""

    def __init__(self, root: Path, repository_id: str) -> None:
        self.root = root
        self.repository_id = repository_id

    def names(self, kind: str) -> list[str]:
        """The ledgers of a kind ("channels", "releases") that have a record."""
        folder = self.root / kind
        found = [f"{kind}/{entry.name}" for entry in folder.iterdir()] if folder.is_dir() else []
        return sorted(name for name in found if _NAME.match(name) and self.last(name))

    def last(self, name: str) -> int:
        """The number of the newest record (unverified); 0 where there is none."""
        return max(self._revisions(name), default=0)

    def read(self, name: str, revision: int, trusted: TrustedKeys) -> Record:
        """Record ``revision``, verified. Raises Refused."""
        what = f"{name} revision {revision}"
        envelope = self._bytes(name, revision, what)
        opened = dsse.unseal(envelope, PAYLOAD_TYPE, trusted, what)
        try:
            data = opened.json()
            place = data["repository"], data["ledger"], data["revision"]
            record = Record(
                name, revision, data["previous"], str(data["when"]), dict(data["body"]),
                opened.key_id, sha256_bytes(envelope),
            )  # fmt: skip
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}, this program reads {FORMAT}")
        except (ValueError, KeyError, TypeError) as error:
            detail = f"not a record: {error}"
            raise Refused(what, [Failure(Refusal.WRONG_TYPE, what, detail)]) from None
        if place != (self.repository_id, name, revision):
            detail = "it was signed as {1} revision {2} of repository {0}".format(*place)
            raise Refused(what, [Failure(Refusal.RECORD_CHANGED, what, detail)])
        before = None
        if revision > 1:
            before = sha256_bytes(self._bytes(name, revision - 1, f"{name} before {revision}"))
        if before != record.previous:
            detail = f"revision {revision - 1} is not the one that revision {revision} follows"
            raise Refused(what, [Failure(Refusal.RECORD_CHANGED, what, detail)])
        return record

    def head(self, name: str, trusted: TrustedKeys) -> Record | None:
        """The newest record, verified; None for an empty ledger."""
        last = self.last(_checked(name))
        return self.read(name, last, trusted) if last else None

    def history(self, name: str, trusted: TrustedKeys) -> list[Record]:
        """Every record, oldest first, verified."""
        return [self.read(name, n, trusted) for n in range(1, self.last(_checked(name)) + 1)]

    def append(self, name: str, body: dict[str, Any], expected: int, signer: Signer) -> Record:
        """Add the record that follows ``expected``, the newest one that the caller judged.

        Raises Refused (channel moved by another publisher) where that number is taken.
        """
        revision, what = expected + 1, f"{_checked(name)} revision {expected + 1}"
        previous = sha256_bytes(self._bytes(name, expected, what)) if expected else None
        when = datetime.now(UTC).isoformat(timespec="seconds")
        data = {
            "format": FORMAT, "repository": self.repository_id, "ledger": name,
            "revision": revision, "previous": previous, "when": when, "body": body,
        }  # fmt: skip
        payload = json.dumps(data, sort_keys=True, ensure_ascii=False).encode()
        envelope = dsse.seal(PAYLOAD_TYPE, payload, signer)
        try:
            self._put(self._path(name, revision), envelope)
        except FileExistsError:
            detail = f"revision {revision} is there already; this publish followed {expected}"
            raise Refused(
                what, [Failure(Refusal.CHANNEL_MOVED, name, detail)], "look at it, and publish anew"
            ) from None
        except OSError as error:
            raise from_os_error(error, "write the record", self.root / name) from error
        return Record(name, revision, previous, when, body, signer.key_id, sha256_bytes(envelope))

    def _put(self, path: Path, data: bytes) -> None:
        """Write ``data`` to ``path`` whole and durable, where there is no such file."""
        folder, staging = path.parent, self.root / "transactions"
        staging.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = staging / f"{uuid.uuid4().hex}.record"
        try:
            with temporary.open("xb") as stream:
                os.fchmod(stream.fileno(), 0o444)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            path.hardlink_to(temporary)
            fsync_directory(folder)
            fsync_directory(folder.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def _revisions(self, name: str) -> list[int]:
        folder = self.root / name
        if not folder.is_dir():
            return []
        found = (_FILE.match(entry.name) for entry in folder.iterdir())
        return [int(match.group(1)) for match in found if match]

    def _path(self, name: str, revision: int) -> Path:
        return self.root / name / f"{revision:08d}.dsse.json"

    def _bytes(self, name: str, revision: int, what: str) -> bytes:
        try:
            return self._path(name, revision).read_bytes()
        except FileNotFoundError:
            detail = f"no {name}/{revision:08d}.dsse.json"
            raise Refused(what, [Failure(Refusal.RECORD_MISSING, what, detail)]) from None
        except OSError as error:
            raise from_os_error(error, f"read {what}", self._path(name, revision)) from error


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise InputError(
            f"{name.partition('/')[2]!r} cannot be the name of a channel or release",
            hint="letters, digits and . _ + - only, beginning with a letter or digit",
        )
    return name
