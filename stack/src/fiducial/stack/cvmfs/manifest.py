"""The manifest ``.cvmfspublished``: which root catalog is the repository, signed.

One line a field, a letter and its value, in any order; digests without the letter of the kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.stack.cvmfs.digest import Digest, digest_of, parse_digest
from fiducial.stack.cvmfs.faults import FaultKind, refuse
from fiducial.stack.cvmfs.path_hash import ROOT_MD5
from fiducial.stack.cvmfs.signed_text import SignedText, frame, split
from fiducial.stack.cvmfs.signing import Certificate, ManifestSigner
from fiducial.stack.errors import InputError

NAME = ".cvmfspublished"
_REQUIRED = {"C": "root catalog", "R": "root path", "D": "time to live", "S": "revision",
             "N": "repository name", "X": "certificate"}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """The fields of a manifest; what is None may be missing."""

    name: str
    root: Digest
    revision: int
    certificate: Digest
    ttl: int = 240
    root_size: int | None = None
    history: Digest | None = None
    metainfo: Digest | None = None
    reflog: Digest | None = None
    published: int | None = None
    collectable: bool = False
    alternative_paths: bool = False

    def text(self) -> bytes:
        """The lines that are signed."""
        lines: list[tuple[str, object]] = [
            ("C", self.root), ("B", self.root_size), ("R", ROOT_MD5), ("D", self.ttl),
            ("S", self.revision), ("G", _word(self.collectable)),
            ("A", _word(self.alternative_paths)), ("N", self.name), ("X", self.certificate),
            ("H", self.history), ("T", self.published), ("M", self.metainfo), ("Y", self.reflog),
        ]  # fmt: skip
        return "".join(f"{key}{value}\n" for key, value in lines if value is not None).encode()


def _word(value: bool) -> str:
    return "yes" if value else "no"


def sign_manifest(manifest: Manifest, signer: ManifestSigner) -> bytes:
    """The file ``.cvmfspublished``; its digest has the algorithm of the root catalog's."""
    text = manifest.text()
    digest = digest_of(text, manifest.root.algorithm)
    return frame(text, digest, signer.sign(str(digest).encode()))


def read_manifest(data: bytes) -> tuple[Manifest, SignedText]:
    """Take the file apart, whole but not yet believed. Raises RefusedRepository."""
    try:
        signed = split(data)
    except InputError as error:
        raise refuse(FaultKind.MANIFEST_MALFORMED, NAME, str(error)) from error
    if not signed.is_whole:
        raise refuse(FaultKind.MANIFEST_CHANGED, NAME, "its text does not have its digest")
    fields: dict[str, str] = {}
    for line in signed.text.decode("utf-8", "replace").splitlines():
        if not line or line[0] in fields:
            detail = f"field {line[0]} twice" if line else "an empty line"
            raise refuse(FaultKind.MANIFEST_MALFORMED, NAME, detail)
        fields[line[0]] = line[1:]
    missing = [f"{key} ({what})" for key, what in _REQUIRED.items() if key not in fields]
    if missing:
        raise refuse(FaultKind.MANIFEST_FIELD_MISSING, NAME, ", ".join(missing))
    if fields["R"] != ROOT_MD5:
        raise refuse(FaultKind.WRONG_ROOT_PATH, NAME, fields["R"][:40])
    try:
        return _build(fields), signed
    except (InputError, ValueError) as error:
        raise refuse(FaultKind.MANIFEST_MALFORMED, NAME, str(error)) from error


def _build(fields: dict[str, str]) -> Manifest:
    def number(key: str) -> int | None:
        if key not in fields:
            return None
        if not fields[key].isascii() or not fields[key].isdigit():
            raise ValueError(f"field {key} is no number: {fields[key][:40]}")
        return int(fields[key][:20])

    def digest(key: str) -> Digest | None:
        return parse_digest(fields[key]) if key in fields else None

    return Manifest(
        fields["N"], parse_digest(fields["C"]), number("S") or 0, parse_digest(fields["X"]),
        number("D") or 0, number("B"), digest("H"), digest("M"), digest("Y"), number("T"),
        fields.get("G") == "yes", fields.get("A") == "yes",
    )  # fmt: skip


def verify_manifest(signed: SignedText, certificate: Certificate) -> None:
    """Believe a manifest by the repository's certificate. Raises RefusedRepository."""
    if not certificate.verifies(signed.signature, signed.signed):
        detail = f"not made by the key of certificate {certificate.fingerprint}"
        raise refuse(FaultKind.MANIFEST_SIGNATURE, NAME, detail)
