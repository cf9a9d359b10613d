"""The whole way in one go: lock, build, validate, publish, deploy, report.

Each phase calls what its own command calls; this module only decides where things lie, what
may be used again, and what happens after a failure. Below the working folder:

    keys/           a signing key of its own
    stack/          the stack that was built
    validation/     results, plots and the signed verdict
    repository/     where it is published
    site/           where it is deployed
    report.html     the page

A validation is used again only if the stack's manifest, the references (which are part of the
stack), the results and the scale are the ones that its passing, verified verdict binds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fiducial.stack.build import build
from fiducial.stack.build_plan import plan_build
from fiducial.stack.builders import DEFAULT
from fiducial.stack.deploy import deploy, plan_deploy
from fiducial.stack.deploy_check import ChainCheck, check_deployed
from fiducial.stack.environment import load_environment
from fiducial.stack.errors import InputError, StackError
from fiducial.stack.files import write_atomically
from fiducial.stack.host_binding import host_binder
from fiducial.stack.keys import PrivateKey, create_private_key, load_private_key
from fiducial.stack.lock import plan_lock
from fiducial.stack.manifest import Manifest, read_manifest
from fiducial.stack.progress import Progress
from fiducial.stack.publish import RESULTS, VERDICT, plan_publish, publish
from fiducial.stack.report.collect import collect
from fiducial.stack.report.evidence import from_folder
from fiducial.stack.report.numbers import seconds as seconds_text
from fiducial.stack.report.page import render
from fiducial.stack.repository_directory import DirectoryRepository
from fiducial.stack.validate import validate
from fiducial.stack.verdict import Expected, Verdict, open_verdict, verify_verdict
from fiducial.stack.verify import verify
from fiducial.stack.workspace import Workspace

PHASES = ("lock", "build", "validate", "publish", "deploy", "report")


@dataclass(frozen=True)
class Settings:
    """What a quickstart is asked for."""

    workdir: Path
    environment: str = "base"
    scale: str = "smoke"
    channel: str = "nightly"
    revalidate: bool = False
    builder: str = DEFAULT

    def path(self, *parts: str) -> Path:
        return self.workdir.joinpath(*parts)


@dataclass(frozen=True)
class PhaseDone:
    """One line of the summary."""

    name: str
    outcome: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "outcome": self.outcome, "seconds": round(self.seconds, 2)}


@dataclass
class Outcome:
    """What a quickstart did, phase by phase."""

    settings: Settings
    phases: list[PhaseDone] = field(default_factory=list)
    stack: str = ""
    passed: bool = False
    failures: list[str] = field(default_factory=list)
    checks: list[ChainCheck] = field(default_factory=list)
    delivery: dict[str, Any] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        return self.settings.path("report.html")

    @contextmanager
    def phase(self, progress: Progress) -> Iterator[Callable[[str], None]]:
        """Time the next phase; the yielded function says what came of it."""
        name, words = PHASES[len(self.phases)], [""]
        progress.note(f"[{len(self.phases) + 1}/{len(PHASES)}] {name}")
        start = time.monotonic()
        yield lambda text: words.__setitem__(0, text)
        self.phases.append(PhaseDone(name, words[0], time.monotonic() - start))

    def to_dict(self) -> dict[str, Any]:
        return {
            "stack": self.stack,
            "passed": self.passed,
            "failures": self.failures,
            "checks": [check.to_dict() for check in self.checks],
            "phases": [phase.to_dict() for phase in self.phases],
            "report": str(self.report),
        }


def run_quickstart(workspace: Workspace, settings: Settings, progress: Progress) -> Outcome:
    """Do all six phases; what failed is in the outcome, what could not be done is raised.

    After a failed verdict the stack is still published for inspection and reported, but no
    channel moves and nothing is deployed.
    """
    outcome = Outcome(settings)
    key = _key(settings.path("keys", "signing.pem"))
    _lock(workspace, outcome, progress)
    manifest = _build(workspace, outcome, progress)
    _validate(manifest, key, outcome, progress)
    repository = _publish(key, outcome, progress)
    _deploy(repository, key, outcome, progress)
    _report(key, outcome, progress)
    return outcome


def _key(path: Path) -> PrivateKey:
    return load_private_key(path) if path.exists() else create_private_key(path)


def _lock(workspace: Workspace, outcome: Outcome, progress: Progress) -> None:
    name = outcome.settings.environment
    with outcome.phase(progress) as say:
        plan = plan_lock(load_environment(workspace, name))
        if not plan.fresh:
            listed = "".join(f"\n  {move}" for move in (*plan.moves, *plan.changes))
            raise InputError(
                f"the lock of {name} is stale", "its definition moved since it was made",
                f"renew it with: fiducial lock {name}{listed}",
            )  # fmt: skip
        packages = len(plan.old.packages) if plan.old else 0
        say(f"fresh: {packages} packages from elsewhere, sha256 {(plan.sha256 or '')[:12]}")


def _build(workspace: Workspace, outcome: Outcome, progress: Progress) -> Manifest:
    settings = outcome.settings
    with outcome.phase(progress) as say:
        prefix = settings.path("stack")
        plan = plan_build(workspace, settings.environment, prefix, builder=settings.builder)
        manifest = build(plan, progress)
        outcome.stack = manifest.stack
        count = f"{len(manifest.packages)} packages"
        say(f"{'nothing moved' if plan.fresh else 'built'}: {manifest.stack}, {count}")
    return manifest


def _validate(manifest: Manifest, key: PrivateKey, outcome: Outcome, progress: Progress) -> None:
    settings = outcome.settings
    prefix, out = settings.path("stack"), settings.path("validation")
    with outcome.phase(progress) as say:
        verdict = None if settings.revalidate else reusable(manifest, out, settings.scale, key)
        again = verdict is not None
        if verdict is not None:
            with progress.phase("verify the stack") as task:
                verify(prefix, advance=task.advance)
        else:
            verdict = validate(prefix, settings.scale, out, key, progress).verdict
        outcome.passed = verdict.passed
        outcome.failures = list(verdict.predicate.failures)
        total = sum(chain.observables for chain in verdict.predicate.chains)
        failed = sum(chain.failed for chain in verdict.predicate.chains)
        words = f"{'passed' if verdict.passed else 'FAILED'}: {total - failed}/{total} observables"
        if again:
            words += f", verified verdict of {verdict.predicate.when} used again (--revalidate)"
        say(words)


def reusable(manifest: Manifest, out: Path, scale: str, key: PrivateKey) -> Verdict | None:
    """The passing verdict in ``out`` if it verifies and is about exactly this; else None."""
    path, results = out / VERDICT, out / RESULTS
    if not path.is_file() or not results.is_file():
        return None
    trusted = {key.key_id: key.public}
    try:
        envelope = path.read_bytes()
        bound = open_verdict(envelope, trusted).predicate.references_sha256
        expected = Expected(manifest.sha256, manifest.lock_sha256, bound, results.read_bytes())
        verdict = verify_verdict(envelope, trusted, expected)
    except (StackError, OSError):
        return None
    return verdict if verdict.predicate.scale == scale else None


def _publish(key: PrivateKey, outcome: Outcome, progress: Progress) -> DirectoryRepository:
    settings, trusted = outcome.settings, {key.key_id: key.public}
    with outcome.phase(progress) as say:
        repository = DirectoryRepository(settings.path("repository"), create=True)
        verdict = settings.path("validation", VERDICT)
        plan = plan_publish(settings.path("stack"), verdict, repository, trusted, settings.channel)
        done = publish(plan, repository, key, trusted, progress)
        outcome.delivery["published"] = answer = done.to_dict()
        new = f"{done.transfer.new_objects} of {done.transfer.objects} objects new"
        if plan.obstacles:
            say(f"for inspection only, {settings.channel} stays where it is ({new})")
        else:
            state = "moved to it" if done.moved else "stands at it already"
            where = f"revision {answer['channel_revision']}"
            say(f"{settings.channel} {state}, {where} ({new})")
    return repository


def _deploy(
    repository: DirectoryRepository, key: PrivateKey, outcome: Outcome, progress: Progress
) -> None:
    settings, trusted = outcome.settings, {key.key_id: key.public}
    with outcome.phase(progress) as say:
        if not outcome.passed:
            say("left out: the verdict failed")
            return
        plan = plan_deploy(repository, settings.path("site"), trusted, settings.channel)
        done = deploy(plan, repository, host_binder(), progress)
        outcome.checks = check_deployed(plan.version, plan.judged.results, progress, plan.cache)
        answer = done.to_dict() | {"checks": [check.to_dict() for check in outcome.checks]}
        outcome.delivery["deployed"] = answer
        same = sum(check.identical for check in outcome.checks)
        total = len(outcome.checks)
        state = "checked out" if done.checked_out else "there already"
        say(f"{state}; first events identical in {same} of {total} chains")


def _report(key: PrivateKey, outcome: Outcome, progress: Progress) -> None:
    settings = outcome.settings
    with outcome.phase(progress) as say:
        phases = [
            {"name": phase.name, "outcome": phase.outcome, "seconds": seconds_text(phase.seconds)}
            for phase in outcome.phases
        ]
        evidence = from_folder(
            settings.path("stack"),
            settings.path("validation"),
            {key.key_id: key.public},
            outcome.delivery | {"phases": phases},
        )
        write_atomically(outcome.report, render(collect(evidence)))
        say(str(outcome.report))


def describe_plan(workspace: Workspace, settings: Settings) -> list[str]:
    """What a quickstart would do, in words; writes nothing."""
    prefix = settings.path("stack")
    plan = plan_build(workspace, settings.environment, prefix, builder=settings.builder)
    rows = [f"lock: {settings.environment} is fresh"]
    rows.append(f"build: {plan.stack}, " + (plan.reason or "nothing moved"))
    key_path, again = settings.path("keys", "signing.pem"), None
    if plan.fresh and key_path.exists() and not settings.revalidate:
        manifest = read_manifest(settings.path("stack"))
        key = load_private_key(key_path)
        again = reusable(manifest, settings.path("validation"), settings.scale, key)
    how = f"use the verdict of {again.predicate.when} again" if again else "run the chains"
    rows.append(f"validate: {how} at scale {settings.scale}")
    rows.append(f"publish: to {settings.path('repository')}, channel {settings.channel}")
    rows.append(f"deploy: to {settings.path('site')}, and check it")
    rows.append(f"report: {settings.path('report.html')}")
    return rows
