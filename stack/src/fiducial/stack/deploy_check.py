"""Does a deployed stack compute what the validated one did?

Each reference chain of the verdict is asked, in the deployed stack and a clean environment,
for its first events again. Their content hash must be the one that the validation noted
(``head`` in results.json): identical bytes of physics content, or the chain is named.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.clean_environment import clean_environment
from fiducial.stack.errors import InputError, NegativeAnswer
from fiducial.stack.inside import run_inside
from fiducial.stack.progress import Progress, SilentProgress
from fiducial.stack.results import Chain, Results


@dataclass(frozen=True)
class ChainCheck:
    """One chain: the content hash that was validated, the one found, or why there is none."""

    chain: str
    events: int
    expected: str
    found: str | None
    problem: str | None
    seconds: float

    @property
    def identical(self) -> bool:
        return self.found == self.expected

    def to_dict(self) -> dict[str, Any]:
        return {
            "chain": self.chain, "events": self.events, "expected": self.expected,
            "found": self.found, "identical": self.identical, "problem": self.problem,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def check_deployed(
    prefix: Path, results: Results, progress: Progress, cache: Path | None = None
) -> list[ChainCheck]:
    """Run the first events of every validated chain in the stack at ``prefix`` and compare.

    ``cache`` keeps compiled kernels from one check to the next (default: thrown away).
    Raises InputError where the results hold no run to compare with.
    """
    chains = [chain for chain in results.chains if chain.run is not None]
    if not chains:
        raise InputError("the results hold no run", hint="validate the stack anew")
    checks = []
    with (
        progress.phase("check what was deployed", total=len(chains)) as task,
        tempfile.TemporaryDirectory(prefix="fiducial-deploy-") as name,
    ):
        scratch = Path(name)
        environment = clean_environment(prefix, scratch)
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
            environment["NUMBA_CACHE_DIR"] = str(cache.resolve())
        for chain in chains:
            checks.append(_check(prefix, chain, environment, scratch))
            task.advance()
    return checks


def _check(prefix: Path, chain: Chain, environment: dict[str, str], scratch: Path) -> ChainCheck:
    if chain.run is None:
        raise InputError(f"chain {chain.name} has no run to compare with")
    head, start = chain.run.head, time.monotonic()
    out = scratch / "runs" / chain.name
    out.parent.mkdir(exist_ok=True)
    command = [str(prefix / "bin" / "fiducial"), "run", chain.name]
    command += ["--events", str(head.events), "--out", str(out)]
    if chain.run.seed is not None:
        command += ["--seed", str(chain.run.seed)]
    log = scratch / f"{chain.name}.log"
    ended = run_inside(command, environment, scratch, log, SilentProgress())
    found, problem = None, None
    if ended.status == 0:
        try:
            found = str(json.loads((out / "run.json").read_bytes())["content_sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"it left no run.json that can be read: {error}"
    else:
        problem = ended.describe()
    seconds = time.monotonic() - start
    return ChainCheck(chain.name, head.events, head.content_sha256, found, problem, seconds)


def require_identical(checks: list[ChainCheck]) -> None:
    """Raises NegativeAnswer naming every chain that did not give the same bytes."""
    different = [check for check in checks if not check.identical]
    if not different:
        return
    reasons = [
        f"{check.chain}: " + (check.problem or f"{check.found}, validated {check.expected}")
        for check in different
    ]
    names = ", ".join(check.chain for check in different)
    raise NegativeAnswer(
        f"the deployed stack does not give the validated events of {names}",
        "; ".join(reasons),
        "compare the two machines: microarchitecture, C library, interpreter",
    )
