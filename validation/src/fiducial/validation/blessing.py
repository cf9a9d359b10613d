"""Making references: decide what would be blessed, show it beside the old, then write.

Published and analytic references follow from their declaration alone; blessed ones are measured
on a run of the chain, which must be larger than what it will judge, and with another seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fiducial import framework
from fiducial.core.errors import InputError, did_you_mean
from fiducial.core.random import derive
from fiducial.validation import places
from fiducial.validation.compare import Refusal, compare
from fiducial.validation.cuts import Table
from fiducial.validation.formulas import evaluate
from fiducial.validation.measure import measure
from fiducial.validation.observables import Analytic, Observable, Published, load_observables
from fiducial.validation.references import (
    Entry,
    MissingReference,
    Reference,
    ReferenceStore,
    declaration_digest,
    key_of,
)
from fiducial.validation.statistics import Outcome


@dataclass(frozen=True)
class Blessing:
    """Who blesses, when (ISO 8601, UTC), and why."""

    who: str
    when: str
    why: str


@dataclass(frozen=True)
class Sample:
    """A run to bless from, and the lock of the stack that it ran in (None outside of one)."""

    tables: Mapping[str, Table]
    seed: int
    events: int
    lock_sha256: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A new reference beside the old one; ``outcome`` compares the new run with the old."""

    key: str
    old: Reference | None
    new: Reference
    entry: Entry
    outcome: Outcome | None

    @property
    def changed(self) -> bool:
        """Whether the stored bytes would change."""
        return self.old is None or self.old.payload() != self.new.payload()


def blessing_seed(chain_seed: int) -> int:
    """The seed of a blessing run: another stream than the chain's own, and below 2^53 for JSON."""
    return derive(chain_seed, "bless") >> 11


def selected(patterns: Sequence[str]) -> dict[str, list[Observable]]:
    """Observables by chain for patterns ``chain`` and ``chain.observable``; all for none."""
    declared = {
        name: load_observables(places.observables_path(name)) for name in places.chain_names()
    }
    if not patterns:
        return {chain: list(observables) for chain, observables in declared.items()}
    keys = [key_of(chain, o.name) for chain, found in declared.items() for o in found]
    chosen: dict[str, list[Observable]] = {}
    for pattern in patterns:
        chain, _, name = pattern.partition(".")
        matching = [o for o in declared.get(chain, ()) if not name or o.name == name]
        if not matching:
            hint = did_you_mean(pattern, [*declared, *keys])
            raise InputError(f"no chain or observable '{pattern}'", hint=hint)
        have = chosen.setdefault(chain, [])
        have += [observable for observable in matching if observable not in have]
    return chosen


def needs_run(observables: Sequence[Observable]) -> bool:
    """Whether any of them is blessed from a run."""
    return any(observable.reference.kind == "blessed" for observable in observables)


def sample_of(run: framework.RunResult, tables: Mapping[str, Table], chain: str) -> Sample:
    """The tables of a finished run, if it is one of this chain and with a seed of its own."""
    path = places.chains_directory() / f"{chain}.yaml"
    own = framework.load_chain(path)
    info = run.info
    if info["chain"] != chain or info["chain_sha256"] != own.sha256:
        raise InputError(
            f"{run.directory} is not a run of chain {chain} as it stands",
            f"it ran {info['chain']} {str(info['chain_sha256'])[:12]}", "run it again",
        )  # fmt: skip
    if info["seed"] == own.seed:
        raise InputError(
            f"{run.directory} has the chain's own seed {own.seed}",
            "a reference must not share events with what it judges",
            f"run with --seed {blessing_seed(own.seed)}",
        )
    lock = info["provenance"]["lock_sha256"]
    return Sample(tables, int(info["seed"]), int(info["events"]), lock)


def propose(
    chain: str, observable: Observable, sample: Sample | None, store: ReferenceStore,
    blessing: Blessing,
) -> Proposal:  # fmt: skip
    """The reference that this observable would get."""
    declared, key = observable.reference, key_of(chain, observable.name)
    seed = events = lock = None
    if isinstance(declared, Published):
        values: tuple[int, float, float, dict[str, Any], str]
        values = (0, declared.value, declared.error, {}, declared.source)
    elif isinstance(declared, Analytic):
        formula = evaluate(observable)
        values = (0, formula.estimate, 0.0, formula.content, declared.source)
    else:
        if sample is None:
            raise InputError(
                f"{key} is blessed from a run", None, "give --scale, --events or --from"
            )
        if observable.table not in sample.tables:
            raise InputError(f"{key}: the run has no table '{observable.table}'", None,
                             did_you_mean(observable.table, list(sample.tables)))  # fmt: skip
        found = measure(observable, sample.tables[observable.table])
        if found.entries < observable.min_entries:
            raise InputError(
                f"{key}: {found.entries} entries", f"{observable.min_entries} are needed",
                "bless from more events",
            )  # fmt: skip
        seed, events, lock = sample.seed, sample.events, sample.lock_sha256
        source = f"{events} events of this chain with seed {seed}"
        kept = {
            k: v for k, v in found.content.items() if k != "sample" or observable.comparison == "ks"
        }
        values = (found.entries, found.estimate, found.error, kept, source)
    entries, estimate, error, content, source = values
    new = Reference(
        chain=chain, observable=observable.name, kind=declared.kind,
        declaration_sha256=declaration_digest(chain, observable),
        entries=entries, estimate=estimate, error=error, content=content, source=source,
    )  # fmt: skip
    entry = Entry(
        sha256=hashlib.sha256(new.payload()).hexdigest(), kind=declared.kind,
        who=blessing.who, when=blessing.when, why=blessing.why,
        lock_sha256=lock, seed=seed, events=events,
    )  # fmt: skip
    old = _old(store, key)
    return Proposal(key, old, new, entry, _against(observable, sample, old))


def _old(store: ReferenceStore, key: str) -> Reference | None:
    try:
        return store.read(key) if key in store.entries else None
    except MissingReference:
        return None


def _against(
    observable: Observable, sample: Sample | None, old: Reference | None
) -> Outcome | None:
    if old is None or sample is None or observable.table not in sample.tables:
        return None
    try:
        return compare(observable, measure(observable, sample.tables[observable.table]), old)
    except (Refusal, InputError, KeyError):
        return None  # of another binning or declaration: nothing to show


def undeclared(store: ReferenceStore) -> list[str]:
    """References that no observable declares any more."""
    declared = {
        key_of(chain, observable.name)
        for chain in places.chain_names()
        for observable in load_observables(places.observables_path(chain))
    }
    return sorted(set(store.entries) - declared)
