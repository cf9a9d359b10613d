"""Run the reference chains that use the working copies again, and compare.

In the overlay's Python, in a clean environment. Each chain is judged against its references as
in any validation; and its physics content is compared with what the stack below makes of the
same events, so that a change that should change nothing is seen to have changed nothing. What
the stack makes is run once and kept beside the overlay, under the stack's digest.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.clean_environment import clean_environment
from fiducial.stack.errors import EnvironmentProblem, from_os_error
from fiducial.stack.files import aside, remove_tree, replace_directory, write_atomically
from fiducial.stack.inside import run_inside
from fiducial.stack.overlay.record import Overlay
from fiducial.stack.progress import Progress
from fiducial.stack.publish import RESULTS
from fiducial.stack.results import Results, parse_results
from fiducial.stack.validate import command_line


@dataclass(frozen=True)
class Rerun:
    """One chain: whether it passed, and whether its content is the stack's, bit for bit."""

    name: str
    observables: int
    failures: tuple[str, ...]
    identical: bool | None

    def __str__(self) -> str:
        good = self.observables - len(self.failures)
        same = {True: "the same events as the stack, bit for bit", None: "nothing to compare with",
                False: "other events than the stack"}[self.identical]  # fmt: skip
        return f"{self.name}: {good}/{self.observables} observables agree; {same}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "chain": self.name, "passed": not self.failures, "observables": self.observables,
            "failures": list(self.failures), "identical": self.identical,
        }  # fmt: skip


def results_folder(root: Path) -> Path:
    """Where runs in the overlay at ``root`` are kept: beside it."""
    return root.absolute().with_name(root.name + ".validation")


def rerun(
    root: Path, overlay: Overlay, chains: Sequence[str], scale: str, progress: Progress
) -> list[Rerun]:
    """Run ``chains`` in the overlay and, where it is not known yet, in the stack below."""
    out = results_folder(root)
    try:
        write_atomically(out / ".gitignore", "*\n")
        known = _baseline(out, overlay, chains, scale, progress)
        results = _run(root.absolute(), chains, scale, out / "overlay", progress)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, "write the results to", out) from error
    found = []
    for chain in results.chains:
        failures = tuple(one.name for one in chain.observables if not one.passed)
        content = chain.run.content_sha256 if chain.run else None
        identical = None if known.get(chain.name) is None else known[chain.name] == content
        found.append(Rerun(chain.name, len(chain.observables), failures, identical))
    return found


def _run(prefix: Path, chains: Sequence[str], scale: str, out: Path, progress: Progress) -> Results:
    """The validation of ``chains`` in the prefix or overlay; its results are in ``out``."""
    fresh = aside(out)
    try:
        with tempfile.TemporaryDirectory(prefix="fiducial-dev-") as scratch:
            environment = clean_environment(prefix, Path(scratch))
            log = out.with_name(out.name + ".log")
            command = command_line(prefix, scale, fresh, chains)
            ended = run_inside(command, environment, Path(scratch), log, progress)
        if ended.status not in (0, 1) or not (fresh / RESULTS).is_file():
            raise EnvironmentProblem(
                f"the chains did not finish in {prefix}", ended.describe(), f"see {ended.log}"
            )
        results = parse_results((fresh / RESULTS).read_bytes(), RESULTS)
        replace_directory(fresh, out)
    finally:
        remove_tree(fresh)
    return results


def _baseline(
    out: Path, overlay: Overlay, chains: Sequence[str], scale: str, progress: Progress
) -> dict[str, str | None]:
    """What the stack makes of ``chains`` (content digests), from memory where it is there."""
    path = out / f"{overlay.stack.id}.{scale}.json"
    known: dict[str, str | None] = {}
    if path.is_file():
        kept = json.loads(path.read_bytes())
        if kept.get("manifest_sha256") == overlay.stack.manifest_sha256:
            known = kept["content_sha256"]
    missing = [name for name in chains if name not in known]
    if missing:
        progress.note(f"running {', '.join(missing)} in {overlay.stack.id} too, to compare with")
        results = _run(Path(overlay.stack.prefix), missing, scale, out / "stack", progress)
        known |= {
            chain.name: chain.run.content_sha256 if chain.run else None for chain in results.chains
        }
        record = {"manifest_sha256": overlay.stack.manifest_sha256, "content_sha256": known}
        write_atomically(path, json.dumps(record, indent=1) + "\n")
    return known
