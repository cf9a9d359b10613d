"""Publish a stack with its verdict to a repository, and move a channel if the verdict allows.

Decided first: ``plan_publish`` reads the manifest, the verdict and the results, judges them and
looks where the channel stands. Acted last: objects, then the release's record, then the channel.
Killed at any point, the repository stands as it did before that step, and the same command
finishes the work. A stack whose verdict failed is published (for inspection), and its channel
stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.channel import Standing, move, standing
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.files import sha256_bytes, sha256_file
from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.ledger import Record
from fiducial.stack.manifest import NAME, Manifest, parse_manifest
from fiducial.stack.objects import Source, Transfer
from fiducial.stack.progress import Progress
from fiducial.stack.refusals import Failure, Refusal, Refused
from fiducial.stack.release import Judged, judge
from fiducial.stack.repository import MEGABYTE, Evidence, Release, Repository, in_megabytes
from fiducial.stack.results import Results, parse_results
from fiducial.stack.tree import bad_name, tree_of
from fiducial.stack.verdict import Expected, Verdict, shortcomings, verify_verdict

RESULTS = "results.json"
VERDICT = "verdict.dsse.json"
SBOM = "sbom.cdx.json"


@dataclass(frozen=True)
class Plan:
    """What a publish would do."""

    prefix: Path
    manifest: Manifest
    verdict: Verdict
    release: Release
    sources: dict[str, Source]
    channel: Standing | None
    obstacles: list[Failure]
    """Why the channel will not move (empty: it will)."""

    @property
    def bytes(self) -> int:
        """The size [bytes] of all distinct objects."""
        return sum(
            len(source.data) if source.data is not None else _size_of(source.path)
            for source in self.sources.values()
        )


@dataclass(frozen=True)
class Published:
    """What a publish did."""

    plan: Plan
    transfer: Transfer
    record: Record
    record_is_new: bool
    moved: Record | None

    @property
    def changed(self) -> bool:
        """False where everything was there already."""
        return bool(self.transfer.new_objects or self.record_is_new or self.moved)

    def to_dict(self) -> dict[str, Any]:
        channel = self.plan.channel
        return {
            "stack": self.plan.release.stack,
            "passed": self.plan.release.passed,
            "release_revision": self.record.revision,
            "objects": self.transfer.objects,
            "bytes": self.transfer.bytes,
            "new_objects": self.transfer.new_objects,
            "new_bytes": self.transfer.new_bytes,
            "mended_objects": self.transfer.mended,
            "channel": channel.name if channel else None,
            "channel_revision": self._revision(),
            "channel_moved": self.moved is not None,
            "obstacles": [failure.to_dict() for failure in self.plan.obstacles],
            "changed": self.changed,
        }

    def _revision(self) -> int | None:
        if self.moved is not None:
            return self.moved.revision
        return self.plan.channel.revision if self.plan.channel else None


def plan_publish(
    prefix: Path,
    verdict: Path,
    repository: Repository | None,
    trusted: TrustedKeys,
    channel: str | None = None,
    references_sha256: str | None = None,
) -> Plan:
    """Judge the stack at ``prefix`` and its ``verdict``; ``results.json`` lies beside it.

    ``repository`` is None where there is none yet: its channels never moved.

    ``references_sha256`` is what the channel's owner demands; None accepts the references that
    the results name. Raises Refused where the verdict is not about this stack, InputError
    where something cannot be read.
    """
    manifest_bytes = read_input(prefix / NAME)
    manifest = parse_manifest(manifest_bytes, str(prefix / NAME))
    tree = tree_of(manifest)
    results_bytes = read_input(verdict.parent / RESULTS)
    expected = Expected(
        sha256_bytes(manifest_bytes), manifest.lock_sha256, references_sha256, results_bytes
    )
    envelope = read_input(verdict)
    judged = verify_verdict(envelope, trusted, expected, must_pass=False, what=str(verdict))
    if judged.stack != manifest.stack:
        detail = f"the verdict names {judged.stack}, here is {manifest.stack}"
        raise Refused(str(verdict), [Failure(Refusal.WRONG_SUBJECT, "stack", detail)])
    evidence = dict(_evidence(verdict.parent, parse_results(results_bytes)))
    sbom = manifest.files.get(SBOM)
    release = Release(
        stack=manifest.stack,
        environment=manifest.environment,
        manifest_sha256=sha256_bytes(manifest_bytes),
        lock_sha256=manifest.lock_sha256,
        verdict_sha256=sha256_bytes(envelope),
        results_sha256=sha256_bytes(results_bytes),
        passed=judged.passed,
        scale=judged.predicate.scale,
        sbom_sha256=getattr(sbom, "sha256", None),
        files=len(tree.files),
        bytes=tree.bytes,
        evidence=evidence,
    )
    sources = {file.sha256: Source(path, prefix / path) for path, file in tree.files.items()}
    sources |= {item.sha256: Source(path, verdict.parent / path) for path, item in evidence.items()}
    sources[release.manifest_sha256] = Source(NAME, data=manifest_bytes)
    sources[release.verdict_sha256] = Source(VERDICT, data=envelope)
    sources[release.results_sha256] = Source(RESULTS, data=results_bytes)
    seen = None if channel is None else Standing(channel, 0, None)
    if channel is not None and repository is not None:
        seen = standing(repository, channel, trusted)
    return Plan(prefix, manifest, judged, release, sources, seen, shortcomings(judged))


def publish(
    plan: Plan, repository: Repository, signer: Signer, trusted: TrustedKeys, progress: Progress
) -> Published:
    """Carry out ``plan``. Raises Refused where the stack changed meanwhile or another publisher
    moved the channel first, EnvironmentProblem where there is no space."""
    with repository.publishing():
        with progress.phase("publish [MB]", total=plan.bytes // MEGABYTE) as task:
            transfer = repository.put(plan.sources, in_megabytes(task))
        record, is_new = _record_release(plan.release, repository, signer, trusted)
        moved = None
        if plan.channel is not None and not plan.obstacles:
            judged = judge(repository, plan.release.stack, trusted, record.revision)
            moved = move(repository, plan.channel, judged.pointer, signer, trusted)
    return Published(plan, transfer, record, is_new, moved)


def promote(
    repository: Repository, stack: str, channel: str, signer: Signer, trusted: TrustedKeys
) -> tuple[Judged, Record | None]:
    """Move ``channel`` to a stack that is published already (promotion, rollback)."""
    seen = standing(repository, channel, trusted)
    judged = judge(repository, stack, trusted)
    with repository.publishing():
        return judged, move(repository, seen, judged.pointer, signer, trusted)


def _record_release(
    release: Release, repository: Repository, signer: Signer, trusted: TrustedKeys
) -> tuple[Record, bool]:
    """The record of ``release``: the newest one if it says the same, else a new one."""
    while True:
        expected = 0
        if release.stack in repository.releases():
            newest, record = repository.release(release.stack, trusted)
            if newest == release:
                return record, False
            expected = record.revision
        try:
            return repository.add_release(release, expected, signer), True
        except Refused as refused:
            if Refusal.CHANNEL_MOVED not in refused.kinds:
                raise


def _evidence(folder: Path, results: Results) -> Iterator[tuple[str, Evidence]]:
    """The files of the validation that are kept: its pages and the plots that it names."""
    plots = {
        plot
        for chain in results.chains
        for observable in chain.observables
        if isinstance(plot := (observable.model_extra or {}).get("plot"), str)
    }
    for path in sorted({"junit.xml", "index.html"} | plots):
        file = folder / path
        if bad_name(path) or not file.is_file():
            continue
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{file} leads out of {folder}", hint="validate the stack anew")
        yield path, Evidence(sha256=sha256_file(file), size=file.stat().st_size)


def _size_of(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.exists() else 0


def read_input(path: Path) -> bytes:
    """The bytes of a stack's or validation's file; InputError where it is not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"there is no {path}", hint="a stack comes from fiducial build, a verdict with its "
            "results.json from fiducial validate",
        ) from None  # fmt: skip
    except OSError as error:
        raise from_os_error(error, "read", path) from error
