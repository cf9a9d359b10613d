"""Run the reference chains, compare, and write the verdict with its pictures and pages.

``results.json`` is written last, in one step: where it stands, the run is complete. Apart from
what was measured on the clock (``run`` of each chain), it is the same for the same software.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial import framework
from fiducial.core.errors import EnvironmentProblem, FiducialError, InputError, did_you_mean
from fiducial.core.files import write_atomically
from fiducial.framework import Progress, Quiet
from fiducial.validation import places
from fiducial.validation.compare import Failure
from fiducial.validation.cuts import Table
from fiducial.validation.junit import junit_xml
from fiducial.validation.observables import Observable, load_observables
from fiducial.validation.page import index_html
from fiducial.validation.plots import draw_svg
from fiducial.validation.references import ReferenceStore, TamperedReference
from fiducial.validation.results import ChainResult, results_json
from fiducial.validation.results import picture as picture_of
from fiducial.validation.verdict import ALPHA, Result, examine, judge, missing


@dataclass(frozen=True)
class Plan:
    """What a validation will do: decided, and checked, before anything runs."""

    chains: tuple[str, ...]
    observables: dict[str, tuple[Observable, ...]]
    store: ReferenceStore
    scale: str
    alpha: float = ALPHA
    lock_sha256: str | None = None
    seed: int | None = None


def plan(
    scale: str,
    chains: Sequence[str] = (),
    references: Path | None = None,
    alpha: float = ALPHA,
    seed: int | None = None,
) -> Plan:
    """Decide what runs; refuses unknown chains, bad declarations and a changed reference store."""
    known = places.chain_names()
    for name in chains:
        if name not in known:
            raise InputError(f"no reference chain '{name}'", None, did_you_mean(name, known))
    if not 0.0 < alpha < 0.5:
        raise InputError(
            f"a family-wise false-alarm rate of {alpha:g}", hint="give 0 < alpha < 0.5"
        )
    chosen = tuple(name for name in known if not chains or name in chains)
    for name in chosen:
        scales = framework.load_chain(places.chains_directory() / f"{name}.yaml").scales
        if scale not in scales:
            raise InputError(f"chain {name} has no scale '{scale}'", None,
                             did_you_mean(scale, list(scales)))  # fmt: skip
    observables = {name: load_observables(places.observables_path(name)) for name in chosen}
    store = ReferenceStore(references or places.references_directory())
    changed = [problem for problem in store.problems() if "changed" in problem.problem]
    if changed:
        raise TamperedReference(changed)
    lock = os.environ.get("FIDUCIAL_LOCK_SHA256") or None
    return Plan(chosen, observables, store, scale, alpha, lock, seed)


def tables_of(run: framework.RunResult) -> dict[str, Table]:
    """The tables of a run by name: ``step/table``, and ``table`` where only one step has it."""
    full = run.tables()
    short: dict[str, list[str]] = {}
    for name in full:
        short.setdefault(name.split("/")[-1], []).append(name)
    unique = {name: full[owners[0]] for name, owners in short.items() if len(owners) == 1}
    return {**unique, **full}


def execute(
    plan: Plan,
    out: Path,
    *,
    executor: str = "inprocess",
    workers: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Carry out a plan; returns the content of ``results.json``."""
    listener = progress or Quiet()
    (out / "plots").mkdir(parents=True, exist_ok=True)
    (out / "results.json").unlink(missing_ok=True)
    for old in (out / "plots").glob("*.svg"):
        old.unlink()
    found: list[Result] = []
    runs: dict[str, framework.RunResult | None] = {}
    for chain in plan.chains:
        try:
            runs[chain] = framework.run(
                places.chains_directory() / f"{chain}.yaml", None, out / "runs" / chain,
                executor, workers, plan.seed, scale=plan.scale, resume=resume, force=not resume,
                progress=listener,
            )  # fmt: skip
        except EnvironmentProblem:
            raise
        except FiducialError as error:
            runs[chain] = None
            found += [
                Result(chain, o.name, o, failure=Failure.RUN_FAILED, detail=str(error))
                for o in plan.observables[chain]
            ]
        run = runs[chain]
        if run is not None:
            seed, tables = int(run.info["seed"]), tables_of(run)
            found += [
                examine(chain, observable, tables, plan.store, seed)
                for observable in plan.observables[chain]
            ]
        found += missing(chain, plan.observables[chain], plan.store)
    judged = judge(found, plan.alpha)
    listener.advance("compare", len(judged), len(judged))
    return _write(plan, out, judged, runs, listener)


def _write(
    plan: Plan, out: Path, judged: Sequence[Result],
    runs: dict[str, framework.RunResult | None], listener: Progress,
) -> dict[str, Any]:  # fmt: skip
    drawn = [(result, picture_of(result)) for result in judged]
    drawings: dict[tuple[str, str], bytes] = {}
    for i, (result, picture) in enumerate(drawn):
        if picture is not None:
            svg = draw_svg(picture)
            drawings[result.chain, result.name] = svg
            write_atomically(out / "plots" / f"{result.chain}.{result.name}.svg", svg)
        listener.advance("plots", i + 1, len(drawn))
    chains = [
        ChainResult(
            name, run.info if (run := runs[name]) else None,
            [result for result in judged if result.chain == name],
        )
        for name in plan.chains
    ]  # fmt: skip
    results = results_json(plan.scale, plan.alpha, plan.store.sha256, plan.lock_sha256, chains)
    write_atomically(out / "junit.xml", junit_xml(results))
    write_atomically(out / "index.html", index_html(results, drawings))
    write_atomically(out / "results.json", _dump(results))
    return results


def _dump(results: dict[str, Any]) -> str:
    return json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
