"""The gate: is this release what it says, and may a channel point to it?

One function judges a release from its record down to the objects that carry the judgement:
record, manifest, verdict, results. The channel asks it before it moves, a deploy before it
writes, a check of the whole repository for every release; none of them trusts a flag that
somebody else set.
"""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.stack.errors import InputError
from fiducial.stack.keys import TrustedKeys
from fiducial.stack.ledger import Record
from fiducial.stack.manifest import Manifest, parse_manifest
from fiducial.stack.refusals import Failure, Refusal, Refused, refuse_if
from fiducial.stack.repository import Pointer, Release, Repository
from fiducial.stack.results import Results, parse_results
from fiducial.stack.verdict import Expected, Verdict, verify_verdict


@dataclass(frozen=True)
class Judged:
    """A release that was found sound, with everything that was read on the way."""

    release: Release
    record: Record
    manifest: Manifest
    manifest_bytes: bytes
    verdict: Verdict
    verdict_bytes: bytes
    results: Results
    results_bytes: bytes

    @property
    def pointer(self) -> Pointer:
        """A channel's pointer to this release."""
        return Pointer(
            release=self.release.stack,
            release_revision=self.record.revision,
            release_sha256=self.record.sha256,
            manifest_sha256=self.release.manifest_sha256,
            verdict_sha256=self.release.verdict_sha256,
        )


def judge(
    repository: Repository,
    stack: str,
    trusted: TrustedKeys,
    revision: int | None = None,
    must_pass: bool = True,
    references_sha256: str | None = None,
) -> Judged:
    """Read and check the release of ``stack``; with ``must_pass`` a full set of chains passed.

    Raises Refused, every reason by name.
    """
    what = f"release {stack}"
    release, record = repository.release(stack, trusted, revision)
    manifest_bytes = repository.read(
        release.manifest_sha256, f"{what}: manifest", Refusal.MANIFEST_CHANGED
    )
    verdict_bytes = repository.read(
        release.verdict_sha256, f"{what}: verdict", Refusal.VERDICT_CHANGED
    )
    results_bytes = repository.read(
        release.results_sha256, f"{what}: results", Refusal.RESULTS_CHANGED
    )
    try:
        manifest = parse_manifest(manifest_bytes, f"{what}: manifest")
    except InputError as error:
        raise Refused(
            what, [Failure(Refusal.MANIFEST_CHANGED, f"{what}: manifest", str(error))]
        ) from error
    expected = Expected(
        release.manifest_sha256, manifest.lock_sha256, references_sha256, results_bytes
    )
    verdict = verify_verdict(verdict_bytes, trusted, expected, must_pass, f"{what}: verdict")
    refuse_if(what, _disagreements(release, manifest, verdict))
    return Judged(
        release, record, manifest, manifest_bytes, verdict, verdict_bytes,
        parse_results(results_bytes), results_bytes,
    )  # fmt: skip


def _disagreements(release: Release, manifest: Manifest, verdict: Verdict) -> list[Failure]:
    """Where the release's record says other than the documents that it binds."""
    says: list[tuple[str, object, object]] = [
        ("stack", release.stack, manifest.stack),
        ("stack of the verdict", release.stack, verdict.stack),
        ("environment", release.environment, manifest.environment),
        ("lock", release.lock_sha256, manifest.lock_sha256),
        ("results", release.results_sha256, verdict.predicate.results_sha256),
        ("passed", release.passed, verdict.passed),
        ("scale", release.scale, verdict.predicate.scale),
    ]
    return [
        Failure(Refusal.RECORD_CHANGED, f"release {release.stack}: {name}", f"{has}, not {want}")
        for name, has, want in says
        if has != want
    ]


def judge_pointer(
    repository: Repository, name: str, pointer: Pointer, trusted: TrustedKeys
) -> Judged:
    """The release that a channel's pointer names, judged fit for a channel.

    Raises Refused, also where the pointer and the release disagree.
    """
    judged = judge(repository, pointer.release, trusted, pointer.release_revision)
    if judged.pointer != pointer:
        detail = f"it does not match the record of release {pointer.release}"
        raise Refused(f"channel {name}", [Failure(Refusal.RECORD_CHANGED, name, detail)])
    return judged
