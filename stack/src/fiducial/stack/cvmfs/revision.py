"""Believe a revision: from a master public key that a site trusts, down to the root catalog.

The whitelist must be signed by the master key, be valid now, and be for this repository; the
certificate that the manifest names must be on it; the manifest must be signed by that
certificate's key, be for this repository, and not be older than what was seen before.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs import whitelist as whitelists
from fiducial.stack.cvmfs.catalog import Reference
from fiducial.stack.cvmfs.digest import Kind
from fiducial.stack.cvmfs.faults import FaultKind, refuse
from fiducial.stack.cvmfs.manifest import Manifest
from fiducial.stack.cvmfs.signed_text import MAX_BYTES
from fiducial.stack.cvmfs.signing import Certificate, MasterKey
from fiducial.stack.cvmfs.verified_objects import Source, VerifiedObjects
from fiducial.stack.cvmfs.whitelist import Whitelist
from fiducial.stack.errors import EnvironmentProblem, InputError

MAX_CERTIFICATE = 1 << 20


@dataclass(frozen=True)
class Revision:
    """A revision that was believed."""

    manifest: Manifest
    whitelist: Whitelist
    certificate: Certificate
    raw: bytes

    @property
    def root(self) -> Reference:
        """The root catalog; its size is declared by the manifest (0: unknown)."""
        return Reference(self.manifest.root, self.manifest.root_size or 0)


@dataclass(frozen=True)
class Demands:
    """What a reader asks of a revision. ``now`` None: an expired whitelist will do."""

    masters: Sequence[MasterKey]
    name: str | None = None
    now: datetime.datetime | None = None
    revision: int = 0
    published: int = 0


def read_revision(source: Source, demands: Demands) -> Revision:
    """The current revision of ``source``. Raises RefusedRepository, or EnvironmentProblem
    where there is no repository."""
    raw = _require(source, manifests.NAME)
    if not demands.masters:
        raise EnvironmentProblem(
            "no master public key to trust", None, "name the repository's .pub file with --trust"
        )
    manifest, signed = manifests.read_manifest(raw)
    if demands.name is not None and manifest.name != demands.name:
        detail = f"it says {manifest.name}, expected {demands.name}"
        raise refuse(FaultKind.WRONG_NAME, manifests.NAME, detail)
    whitelist = whitelists.read_whitelist(_require(source, whitelists.NAME), demands.masters)
    if whitelist.name != manifest.name:
        detail = f"it is for {whitelist.name}, the manifest for {manifest.name}"
        raise refuse(FaultKind.WRONG_NAME, whitelists.NAME, detail)
    if demands.now is not None and whitelist.has_expired(demands.now):
        raise refuse(
            FaultKind.WHITELIST_EXPIRED, whitelists.NAME,
            f"on {whitelist.expires:%Y-%m-%d %H:00} UTC; now it is {demands.now:%Y-%m-%d %H:%M}",
            "its owner renews it: fiducial repo resign (or this machine's clock is wrong)",
        )  # fmt: skip
    certificate = read_certificate(source, manifest)
    if certificate.fingerprint not in whitelist.fingerprints:
        detail = f"{certificate.fingerprint} is not on the whitelist"
        raise refuse(FaultKind.FOREIGN_CERTIFICATE, manifests.NAME, detail)
    manifests.verify_manifest(signed, certificate)
    if manifest.revision < demands.revision or (manifest.published or 0) < demands.published:
        detail = f"revision {manifest.revision}, seen before: {demands.revision}"
        raise refuse(FaultKind.DOWNGRADED, manifests.NAME, detail)
    return Revision(manifest, whitelist, certificate, raw)


def read_certificate(source: Source, manifest: Manifest) -> Certificate:
    """The certificate that a manifest names, not yet believed."""
    objects = VerifiedObjects(source)
    pem = objects.document(
        manifest.certificate, Kind.CERTIFICATE, "the certificate", MAX_CERTIFICATE
    )
    try:
        return Certificate(pem)
    except InputError as error:
        raise refuse(FaultKind.BAD_CERTIFICATE, "the certificate", str(error)) from error


def _require(source: Source, name: str) -> bytes:
    data = source.read(name, MAX_BYTES)
    if data is None:
        raise EnvironmentProblem(
            f"no repository at {source.location}", f"there is no {name}", "check the address"
        )
    return data
