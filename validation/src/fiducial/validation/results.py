"""results.json: what a validation found, for machines (docs/formats/results.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fiducial.validation.observables import Analytic, Published
from fiducial.validation.plots import Picture
from fiducial.validation.verdict import Result

FORMAT = 1


@dataclass(frozen=True)
class ChainResult:
    """A chain, its run.json (None where the run failed) and its judged observables."""

    name: str
    run: Mapping[str, Any] | None
    results: Sequence[Result]


def picture(result: Result) -> Picture | None:
    """What to draw for a result; None where nothing was measured."""
    if result.observable is None or result.measured is None or result.measured.entries == 0:
        return None
    return Picture(
        result.chain, result.observable, result.measured, result.reference,
        caption(result), result.passed,
    )  # fmt: skip


def caption(result: Result) -> str:
    """p-value, or the failure."""
    if result.outcome is None:
        return str(result.failure)
    text = f"p = {result.outcome.p_value:.2g}"
    return text if result.passed else f"{text}: {result.failure}"


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _signed_pull(result: Result) -> float | None:
    if result.outcome is None or result.measured is None or result.reference is None:
        return None
    below = result.measured.estimate < result.reference.estimate
    return _number(-result.outcome.z if below else result.outcome.z)


def observable_record(result: Result) -> dict[str, Any]:
    """One entry of ``observables``."""
    observable, measured, reference = result.observable, result.measured, result.reference
    outcome = result.outcome
    declared = observable.reference if observable else None
    tolerant = declared if isinstance(declared, Published | Analytic) else None
    return {
        "name": result.name,
        "title": observable.title if observable else result.name,
        "axis": observable.axis if observable else "",
        "guards": observable.guards if observable else "",
        "comparison": observable.comparison if observable else None,
        "method": outcome.method if outcome else None,
        "passed": result.passed,
        "p_value": outcome.p_value if outcome else None,
        "p_adjusted": result.p_adjusted,
        "pull": _signed_pull(result),
        "statistic": _number(outcome.statistic) if outcome else None,
        "detail": outcome.detail if outcome else "",
        "failure": str(result.failure) if result.failure else None,
        "entries": measured.entries if measured else 0,
        "value": {
            "estimate": _number(measured.estimate) if measured else None,
            "error": _number(measured.error) if measured else None,
        },
        "reference": {
            "kind": reference.kind,
            "source": reference.source,
            "sha256": result.reference_sha256,
            "estimate": _number(reference.estimate),
            "error": _number(reference.error),
            "entries": reference.entries,
            "tolerance": tolerant.tolerance if tolerant else 0.0,
            "tolerance_reason": tolerant.tolerance_reason if tolerant else None,
            "doi": declared.doi if isinstance(declared, Published) else None,
        }
        if reference
        else None,
        "plot": f"plots/{result.chain}.{result.name}.svg" if picture(result) else None,
    }


def results_json(
    scale: str, alpha: float, references_sha256: str, lock_sha256: str | None,
    chains: Sequence[ChainResult],
) -> dict[str, Any]:  # fmt: skip
    """The whole document; passed only if every observable passed and at least one was compared."""
    everything = [result for chain in chains for result in chain.results]
    compared = sum(result.outcome is not None for result in everything)
    return {
        "format": FORMAT,
        "scale": scale,
        "passed": compared > 0 and all(result.passed for result in everything),
        "family_wise_alpha": alpha,
        "method": "holm",
        "comparisons": compared,
        "references_sha256": references_sha256,
        "lock_sha256": lock_sha256,
        "chains": [
            {
                "name": chain.name,
                "title": str(chain.run["title"]) if chain.run else chain.name,
                "events": int(chain.run["events"]) if chain.run else 0,
                "passed": all(result.passed for result in chain.results),
                "run": dict(chain.run) if chain.run else None,
                "observables": [observable_record(result) for result in chain.results],
            }
            for chain in chains
        ],
        "failures": [
            {
                "chain": result.chain, "observable": result.name,
                "failure": str(result.failure), "detail": result.detail,
            }
            for result in everything
            if not result.passed
        ],
    }  # fmt: skip
