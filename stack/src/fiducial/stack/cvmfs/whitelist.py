"""The whitelist ``.cvmfswhitelist``: which certificates may sign, and until when.

Signed by the master key. It expires (after 30 days by default) and has to be signed again in
time even where nothing is published: clients refuse a repository whose whitelist has expired.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from fiducial.stack.cvmfs.digest import Algorithm, digest_of
from fiducial.stack.cvmfs.faults import FaultKind, refuse
from fiducial.stack.cvmfs.signed_text import frame, split
from fiducial.stack.cvmfs.signing import MasterKey, WhitelistSigner
from fiducial.stack.errors import InputError

NAME = ".cvmfswhitelist"
LIFETIME = datetime.timedelta(days=30)
_TIME = "%Y%m%d%H%M%S"
_FINGERPRINT = re.compile(r"([0-9A-F]{2}(?::[0-9A-F]{2}){19})(-[A-Z0-9]+)?(\s*#.*)?")


@dataclass(frozen=True)
class Whitelist:
    """What a whitelist says; times are UTC."""

    name: str
    issued: datetime.datetime
    expires: datetime.datetime
    fingerprints: tuple[str, ...]

    def text(self) -> bytes:
        """The lines that are signed."""
        lines = [f"{self.issued:{_TIME}}", f"E{self.expires:{_TIME}}", f"N{self.name}"]
        return "".join(f"{line}\n" for line in (*lines, *self.fingerprints)).encode()

    def has_expired(self, now: datetime.datetime) -> bool:
        """As clients see it: only the hour of the expiry counts."""
        return now >= self.expires.replace(minute=0, second=0, microsecond=0)


def sign_fingerprints(
    name: str,
    fingerprints: Iterable[str],
    signer: WhitelistSigner,
    now: datetime.datetime,
    lifetime: datetime.timedelta = LIFETIME,
) -> bytes:
    """The file ``.cvmfswhitelist`` for certificates with these fingerprints, valid from ``now``."""
    if lifetime < datetime.timedelta(hours=1):
        raise InputError("the whitelist would expire at once", f"lifetime {lifetime}")
    text = Whitelist(name, now, now + lifetime, tuple(fingerprints)).text()
    digest = digest_of(text, Algorithm.SHA1)
    return frame(text, digest, signer.sign(str(digest).encode()))


def read_whitelist(data: bytes, masters: Iterable[MasterKey] | None) -> Whitelist:
    """Read a whitelist and believe it by one of the master keys (None: unsigned reading).

    Raises RefusedRepository. Whether it has expired, and whom it names, is for the caller.
    """
    try:
        signed = split(data)
    except InputError as error:
        raise refuse(FaultKind.WHITELIST_MALFORMED, NAME, str(error)) from error
    if not signed.is_whole:
        raise refuse(FaultKind.WHITELIST_CHANGED, NAME, "its text does not have its digest")
    if masters is not None and not any(
        master.verifies(signed.signature, signed.signed) for master in masters
    ):
        raise refuse(
            FaultKind.WHITELIST_SIGNATURE, NAME, "no trusted master key made it",
            "get the repository's public key from its owner",
        )  # fmt: skip
    return _parse(signed.text.decode("utf-8", "replace").splitlines())


def _parse(lines: list[str]) -> Whitelist:
    def bad(detail: str) -> Exception:
        return refuse(FaultKind.WHITELIST_MALFORMED, NAME, detail)

    if len(lines) < 3 or not lines[1].startswith("E") or not lines[2].startswith("N"):
        raise bad("it does not begin with the times and the name")
    try:
        issued, expires = (_time(text) for text in (lines[0], lines[1][1:]))
    except ValueError as error:
        raise bad(str(error)) from error
    prints = []
    for line in lines[3:]:
        match = _FINGERPRINT.fullmatch(line.strip())
        if match and match[2] is None:
            prints.append(match[1])
        elif not match and not re.match(r"[VW#]|$", line):
            raise bad(f"not understood: {line[:60]}")
    return Whitelist(lines[2][1:], issued, expires, tuple(prints))


def _time(text: str) -> datetime.datetime:
    if len(text) != 14 or not text.isdigit():
        raise ValueError(f"'{text[:20]}' is no time of 14 digits")
    return datetime.datetime.strptime(text, _TIME).replace(tzinfo=datetime.UTC)
