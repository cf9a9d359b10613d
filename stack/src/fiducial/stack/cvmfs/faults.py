"""What can be wrong with a repository: one name for each kind, with how grave it is.

Readers, the checker and the publisher share these names. A *refusal* makes a repository unsafe
or ambiguous to read: readers stop. A *mistake* is noticed by CernVM-FS's own checker or breaks
its promises: ``check`` answers no. An *advice* nobody else notices; ``check`` tells it and
answers yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fiducial.stack.errors import NegativeAnswer
from fiducial.stack.refusals import list_reasons


class Gravity(Enum):
    REFUSAL = "refusal"
    MISTAKE = "mistake"
    ADVICE = "advice"


_REFUSAL, _MISTAKE, _ADVICE = Gravity.REFUSAL, Gravity.MISTAKE, Gravity.ADVICE


class FaultKind(Enum):
    """Every kind of fault: the words that are printed, and how grave it is."""

    # manifest, whitelist, certificate
    MANIFEST_MALFORMED = ("malformed manifest", _REFUSAL)
    MANIFEST_FIELD_MISSING = ("manifest lacks a field", _REFUSAL)
    MANIFEST_CHANGED = ("manifest changed", _REFUSAL)
    MANIFEST_SIGNATURE = ("bad manifest signature", _REFUSAL)
    WRONG_NAME = ("wrong repository name", _REFUSAL)
    WRONG_ROOT_PATH = ("wrong root path", _REFUSAL)
    DOWNGRADED = ("downgraded revision", _REFUSAL)
    WHITELIST_MALFORMED = ("malformed whitelist", _REFUSAL)
    WHITELIST_CHANGED = ("whitelist changed", _REFUSAL)
    WHITELIST_SIGNATURE = ("bad whitelist signature", _REFUSAL)
    WHITELIST_EXPIRED = ("expired whitelist", _REFUSAL)
    WHITELIST_EXPIRES = ("whitelist expires soon", _ADVICE)
    WHITELIST_FUTURE = ("whitelist from the future", _ADVICE)
    FOREIGN_CERTIFICATE = ("foreign certificate", _REFUSAL)
    BAD_CERTIFICATE = ("unusable certificate", _REFUSAL)
    NO_PUBLISH_TIME = ("manifest lacks the publish time", _ADVICE)
    NO_HISTORY = ("manifest lacks the history", _ADVICE)
    NO_METAINFO = ("manifest lacks the metainfo", _ADVICE)
    NO_SENTINEL = ("no .cvmfs_master_replica", _ADVICE)
    ROOT_SIZE = ("wrong size of the root catalog", _MISTAKE)
    # objects
    OBJECT_MISSING = ("object missing", _REFUSAL)
    OBJECT_CHANGED = ("object changed", _REFUSAL)
    OBJECT_MALFORMED = ("malformed object", _REFUSAL)
    OBJECT_SIZE = ("wrong size of an object", _REFUSAL)
    DOCUMENT_MALFORMED = ("malformed document", _MISTAKE)
    # catalogs
    CATALOG_UNREADABLE = ("unreadable catalog", _REFUSAL)
    CATALOG_TOO_LARGE = ("oversized catalog", _REFUSAL)
    CATALOG_CYCLE = ("cyclic catalogs", _REFUSAL)
    TOO_MANY_ENTRIES = ("too many entries in a catalog", _ADVICE)
    JOURNAL_MODE = ("catalog in write-ahead mode", _MISTAKE)
    NO_SCHEMA = ("no catalog schema", _REFUSAL)
    UNKNOWN_SCHEMA = ("unknown catalog schema", _REFUSAL)
    OLD_SCHEMA_REVISION = ("missing or old schema revision", _ADVICE)
    MISSING_TABLE = ("missing table", _REFUSAL)
    MISSING_COUNTER = ("missing counter", _REFUSAL)
    WRONG_COUNTER = ("wrong counter", _MISTAKE)
    WRONG_ROOT_PREFIX = ("missing or wrong root prefix", _REFUSAL)
    NO_ROOT_ENTRY = ("no root entry", _REFUSAL)
    NULL_TEXT = ("missing text", _REFUSAL)
    WRONG_TYPE = ("value of the wrong type", _REFUSAL)
    DIGEST_FORM = ("digest of the wrong form", _REFUSAL)
    NO_DIGEST = ("file without a digest", _REFUSAL)
    STRAY_DIGEST = ("digest where none belongs", _MISTAKE)
    WRONG_PATH_HASH = ("wrong path hash", _REFUSAL)
    HOSTILE_NAME = ("hostile name", _REFUSAL)
    UNREACHABLE_ENTRY = ("unreachable entry", _MISTAKE)
    UNKNOWN_FLAGS = ("unknown flags", _REFUSAL)
    SYMLINK_FLAGS = ("symlink flags without the file bit", _ADVICE)
    MODE_DIFFERS = ("mode and flags disagree", _MISTAKE)
    SYMLINK_SIZE = ("wrong size of a symlink", _MISTAKE)
    SPECIAL_FILE = ("wrong special file", _MISTAKE)
    NEGATIVE_SIZE = ("impossible size", _REFUSAL)
    LINK_COUNT = ("wrong link count", _MISTAKE)
    HARDLINKS = ("broken hard-link group", _MISTAKE)
    BAD_XATTRS = ("malformed extended attributes", _MISTAKE)
    CHUNKS = ("broken chunks", _REFUSAL)
    NESTED_DIGEST = ("nested catalog's digest of the wrong form", _REFUSAL)
    NESTED_SIZE = ("wrong size of a nested catalog", _MISTAKE)
    NESTED_FLAGS = ("wrong flags at a nested catalog", _MISTAKE)
    NESTED_UNREGISTERED = ("nested catalog not registered", _REFUSAL)
    MOUNTPOINT_DIFFERS = ("mount point differs from the nested root", _MISTAKE)
    MOUNTPOINT_NOT_EMPTY = ("mount point is not empty", _MISTAKE)
    MARKER_MISSING = ("missing catalog marker", _MISTAKE)
    MARKER_ABANDONED = ("abandoned catalog marker", _MISTAKE)
    SPARSE_ROWS = ("row numbers have gaps", _ADVICE)
    # history, reflog
    HISTORY_MALFORMED = ("malformed history", _MISTAKE)
    WRONG_TAG = ("wrong tag", _MISTAKE)
    REFLOG_CHANGED = ("reflog changed", _MISTAKE)
    REFLOG_MALFORMED = ("malformed reflog", _MISTAKE)
    REFLOG_INCOMPLETE = ("reflog lacks an object", _MISTAKE)
    # what an extraction refuses
    SYMLINK_ESCAPE = ("symlink escape", _REFUSAL)
    TOO_MUCH = ("more than the limits allow", _REFUSAL)

    def __init__(self, words: str, gravity: Gravity) -> None:
        self.words, self.gravity = words, gravity


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, where it is, and what was seen."""

    kind: FaultKind
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.words}: {self.where} ({self.detail})"

    def to_dict(self) -> dict[str, str]:
        return {
            "kind": self.kind.words, "gravity": self.kind.gravity.value, "where": self.where,
            "detail": self.detail,
        }  # fmt: skip


class RefusedRepository(NegativeAnswer):
    """A repository was judged and found wanting; ``faults`` holds every reason."""

    def __init__(self, what: str, faults: Iterable[Fault], hint: str | None = None) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{what} is refused", list_reasons(self.faults), hint)

    @property
    def kinds(self) -> frozenset[FaultKind]:
        return frozenset(fault.kind for fault in self.faults)


def refuse(kind: FaultKind, where: str, detail: str, hint: str | None = None) -> RefusedRepository:
    """The refusal for one fault, to be raised."""
    return RefusedRepository(where, [Fault(kind, where, detail)], hint)
