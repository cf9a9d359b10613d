"""The verdict: a signed statement of what a stack's reference chains gave.

An in-toto Statement v1 (https://github.com/in-toto/attestation, spec/v1/statement.md) whose
subject is the stack (SHA-256 of its manifest.json) and whose predicate binds the results, the
lock and the references by hash; DSSE-signed. A failed verdict is signed like any other: that
it failed is worth knowing too. Format: docs/formats/verdict.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pydantic

from fiducial.stack import dsse
from fiducial.stack.errors import InputError
from fiducial.stack.files import sha256_bytes
from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.refusals import Failure, Refusal, Refused, refuse_if
from fiducial.stack.results import Results, parse_results

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:fiducial:verdict:v1"
FORMAT = 1


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class ChainSummary(_Part):
    """One chain in the predicate."""

    name: str
    events: int | None
    content_sha256: str | None
    observables: int
    failed: int


class Predicate(_Part):
    """What the verdict says about its subject."""

    format: int
    passed: bool
    scale: str
    selection: list[str] | None
    """The chains asked for; None is all of them, and only that can move a channel."""
    results_sha256: str
    lock_sha256: str | None
    references_sha256: str
    family_wise_alpha: float
    method: str
    chains: list[ChainSummary]
    failures: list[str]
    when: str


@dataclass(frozen=True)
class Verdict:
    """A verdict whose signature held."""

    stack: str
    manifest_sha256: str
    predicate: Predicate
    key_id: str
    sha256: str
    """Of the whole envelope."""

    @property
    def passed(self) -> bool:
        return self.predicate.passed


@dataclass(frozen=True)
class Expected:
    """What a verdict must be bound to; None leaves that point open."""

    manifest_sha256: str | None = None
    lock_sha256: str | None = None
    references_sha256: str | None = None
    results: bytes | None = None


def make_verdict(
    stack: str,
    manifest_sha256: str,
    results_bytes: bytes,
    signer: Signer,
    selection: Sequence[str] | None = None,
    when: datetime | None = None,
) -> bytes:
    """The signed verdict over ``results_bytes``: a DSSE envelope.

    Raises Mistakes where the results contradict themselves.
    """
    results = parse_results(results_bytes)
    predicate = Predicate(
        format=FORMAT,
        passed=results.passed,
        scale=results.scale,
        selection=sorted(selection) if selection else None,
        results_sha256=sha256_bytes(results_bytes),
        lock_sha256=results.lock_sha256,
        references_sha256=results.references_sha256,
        family_wise_alpha=results.family_wise_alpha,
        method=results.method,
        chains=_summaries(results),
        failures=[_line(failed) for failed in results.failures],
        when=(when or datetime.now(UTC)).isoformat(timespec="seconds"),
    )
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": stack, "digest": {"sha256": manifest_sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate.model_dump(),
    }
    payload = json.dumps(statement, sort_keys=True, ensure_ascii=False).encode()
    return dsse.seal(PAYLOAD_TYPE, payload, signer)


def open_verdict(envelope: bytes, trusted: TrustedKeys, what: str = "the verdict") -> Verdict:
    """Check the signature and read the statement, judging nothing else.

    Raises Refused: bad signature, unknown key, malformed, wrong type.
    """
    opened = dsse.unseal(envelope, PAYLOAD_TYPE, trusted, what)
    try:
        statement: dict[str, Any] = opened.json()
        kinds = statement["_type"], statement["predicateType"]
        (subject,) = statement["subject"]
        name, digest = str(subject["name"]), str(subject["digest"]["sha256"])
        if kinds != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise ValueError(f"type {kinds}")
        predicate = Predicate.model_validate(statement["predicate"])
        if predicate.format != FORMAT:
            raise ValueError(f"format {predicate.format}, this program reads {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        detail = f"not a verdict: {error}".splitlines()[0]
        raise Refused(what, [Failure(Refusal.WRONG_TYPE, what, detail)]) from None
    return Verdict(name, digest, predicate, opened.key_id, sha256_bytes(envelope))


def verify_verdict(
    envelope: bytes,
    trusted: TrustedKeys,
    expected: Expected,
    must_pass: bool = True,
    what: str = "the verdict",
) -> Verdict:
    """Check the signature, everything ``expected``, and that a full set of chains passed.

    ``must_pass=False`` accepts a failed or partial verdict (to publish it for inspection).
    Raises Refused with every failure at once.
    """
    verdict = open_verdict(envelope, trusted, what)
    failures = list(_mismatches(verdict, expected))
    if must_pass:
        failures += shortcomings(verdict)
    refuse_if(what, failures)
    return verdict


def shortcomings(verdict: Verdict) -> list[Failure]:
    """Why this verdict may not move a channel (empty: it may)."""
    found = []
    predicate = verdict.predicate
    if not predicate.passed:
        detail = "; ".join(predicate.failures[:5]) or "passed is false"
        found.append(Failure(Refusal.FAILED_VERDICT, verdict.stack, detail))
    if predicate.selection is not None:
        detail = f"only {', '.join(predicate.selection)} ran"
        found.append(Failure(Refusal.PARTIAL_VERDICT, verdict.stack, detail))
    return found


def _mismatches(verdict: Verdict, expected: Expected) -> list[Failure]:
    predicate = verdict.predicate
    pairs: list[tuple[Refusal, str, str | None, str | None]] = [
        (Refusal.WRONG_SUBJECT, "manifest", verdict.manifest_sha256, expected.manifest_sha256),
        (Refusal.WRONG_LOCK, "lock", predicate.lock_sha256, expected.lock_sha256),
        (
            Refusal.WRONG_REFERENCES,
            "references",
            predicate.references_sha256,
            expected.references_sha256,
        ),
    ]
    found = [
        Failure(kind, what, f"the verdict binds {_short(has)}, here is {_short(want)}")
        for kind, what, has, want in pairs
        if want is not None and has != want
    ]
    if expected.results is not None:
        found += _judge_results(predicate, expected.results)
    return found


def _judge_results(predicate: Predicate, data: bytes) -> list[Failure]:
    digest = sha256_bytes(data)
    if digest != predicate.results_sha256:
        detail = f"the verdict binds {_short(predicate.results_sha256)}, here is {_short(digest)}"
        return [Failure(Refusal.RESULTS_CHANGED, "results.json", detail)]
    try:
        results = parse_results(data)
    except InputError as error:
        return [Failure(Refusal.RESULTS_CHANGED, "results.json", str(error))]
    if results.passed != predicate.passed:
        detail = f"it says passed={results.passed}, the verdict {predicate.passed}"
        return [Failure(Refusal.RESULTS_CHANGED, "results.json", detail)]
    return []


def _summaries(results: Results) -> list[ChainSummary]:
    return [
        ChainSummary(
            name=chain.name,
            events=chain.run.events if chain.run else chain.events,
            content_sha256=chain.run.content_sha256 if chain.run else None,
            observables=len(chain.observables),
            failed=sum(not observable.passed for observable in chain.observables),
        )
        for chain in results.chains
    ]


def _line(failed: Any) -> str:
    where = ".".join(filter(None, (failed.chain, failed.observable))) or "validation"
    return f"{where}: {failed.failure}" + (f" ({failed.detail})" if failed.detail else "")


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"
