"""Validate a stack: its own reference chains, in its own interpreter, judged and signed outside.

The stack is compared with its manifest before the run and after it, so that what was
validated is what was built. ``python -m fiducial.validation`` runs in a clean environment and
writes ``results.json``; what it says is checked (shape, consistency, scale, lock, chains) and
signed as it is, failed or passed. A validator that crashes, is killed or contradicts itself
gives no verdict at all, and the output folder keeps what it held.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.clean_environment import clean_environment
from fiducial.stack.durable import make_durable
from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import aside, remove_tree, replace_directory, write_atomically
from fiducial.stack.inside import Ended, run_inside
from fiducial.stack.keys import Signer
from fiducial.stack.manifest import Manifest
from fiducial.stack.progress import Progress
from fiducial.stack.publish import RESULTS, VERDICT
from fiducial.stack.refusals import Failure, Refusal, refuse_if
from fiducial.stack.results import Results, parse_results
from fiducial.stack.verdict import Verdict, make_verdict, open_verdict
from fiducial.stack.verify import verify

SCALES = ("smoke", "standard", "full")
LOG = "validation.log"


@dataclass(frozen=True)
class Validated:
    """The outcome: the verdict (signed), the results, and where they lie."""

    out: Path
    manifest: Manifest
    results: Results
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        predicate = self.verdict.predicate
        return {
            "stack": self.verdict.stack,
            "passed": predicate.passed,
            "scale": predicate.scale,
            "manifest_sha256": self.verdict.manifest_sha256,
            "lock_sha256": predicate.lock_sha256,
            "references_sha256": predicate.references_sha256,
            "results_sha256": predicate.results_sha256,
            "key_id": self.verdict.key_id,
            "chains": [chain.model_dump() for chain in predicate.chains],
            "failures": list(predicate.failures),
            "verdict": str(self.out / VERDICT),
            "results": str(self.out / RESULTS),
        }


def command_line(prefix: Path, scale: str, out: Path, chains: Sequence[str]) -> list[str]:
    """The command that runs the reference chains of the stack at ``prefix``."""
    command = [str(prefix / "bin" / "python"), "-m", "fiducial.validation", "run"]
    command += ["--scale", scale, "--out", str(out), "--progress", "json"]
    for chain in chains:
        command += ["--chain", chain]
    return command


def validate(
    prefix: Path,
    scale: str,
    out: Path,
    signer: Signer,
    progress: Progress,
    chains: Sequence[str] = (),
) -> Validated:
    """Run the chains of the stack at ``prefix`` and put results and verdict into ``out``.

    Raises AlteredStack (the stack is not what its manifest says), EnvironmentProblem (the
    validator did not finish), Refused (its results are not about this stack), Mistakes (they
    contradict themselves). In each case ``out`` is left as it was.
    """
    prefix, out = prefix.resolve(), out.resolve()
    manifest = _verified(prefix, "verify the stack", progress)
    fresh = aside(out)
    try:
        fresh.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fiducial-validate-") as scratch:
            environment = clean_environment(prefix, Path(scratch))
            log = out.with_name(out.name + ".log")
            ended = run_inside(
                command_line(prefix, scale, fresh, chains),
                environment, Path(scratch), log, progress,
            )  # fmt: skip
        results, data = _judged(ended, fresh, manifest, scale, chains)
        _verified(prefix, "verify it again", progress)
        envelope = make_verdict(manifest.stack, manifest.sha256, data, signer, chains or None)
        write_atomically(fresh / VERDICT, envelope)
        log.replace(fresh / LOG)
        make_durable(fresh, 0)
        replace_directory(fresh, out)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, "write the results of the validation to", out) from error
    finally:
        remove_tree(fresh)
    verdict = open_verdict(envelope, {signer.key_id: signer.public})
    return Validated(out, manifest, results, verdict)


def _verified(prefix: Path, name: str, progress: Progress) -> Manifest:
    with progress.phase(name) as task:
        return verify(prefix, advance=task.advance)


def _judged(
    ended: Ended, out: Path, manifest: Manifest, scale: str, chains: Sequence[str]
) -> tuple[Results, bytes]:
    """The results, if the validator finished and they are about what was asked."""
    path = out / RESULTS
    if ended.status not in (0, 1) or not path.is_file():
        problem = "the validation did not finish, so there is no verdict"
        missing = "" if path.is_file() else f"; it left no {RESULTS}"
        raise EnvironmentProblem(problem, ended.describe() + missing, f"see {ended.log}")
    data = path.read_bytes()
    results = parse_results(data, RESULTS)
    if results.passed != (ended.status == 0):
        raise InputError(
            "the validation contradicts itself, so there is no verdict",
            f"{RESULTS} says passed={results.passed}, and {ended.describe()}",
            f"see {ended.log}",
        )
    failures = []
    if results.lock_sha256 != manifest.lock_sha256:
        detail = f"results of lock {results.lock_sha256}, the stack has {manifest.lock_sha256}"
        failures.append(Failure(Refusal.WRONG_LOCK, RESULTS, detail))
    if results.scale != scale:
        detail = f"scale {results.scale}, asked for {scale}"
        failures.append(Failure(Refusal.RESULTS_CHANGED, RESULTS, detail))
    ran = {chain.name for chain in results.chains}
    if chains and ran != set(chains):
        detail = f"chains {', '.join(sorted(ran))}, asked for {', '.join(sorted(chains))}"
        failures.append(Failure(Refusal.RESULTS_CHANGED, RESULTS, detail))
    refuse_if("the outcome of the validation", failures, f"see {ended.log}")
    return results, data
