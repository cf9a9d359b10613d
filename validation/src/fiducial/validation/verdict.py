"""The verdict: every observable judged, one family-wise false-alarm rate over all of them.

The family is all comparisons of all chains of a run; Holm's procedure holds the probability of
any false alarm at ``alpha``. What cannot be compared (missing, changed, too few events, NaN) is a
failure by its own name, whatever the statistics say.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fiducial.validation.compare import Failure, Refusal, compare
from fiducial.validation.cuts import MissingColumn, Table
from fiducial.validation.measure import Measurement, NotANumber, measure
from fiducial.validation.observables import Observable
from fiducial.validation.references import (
    MissingReference,
    Reference,
    ReferenceStore,
    declaration_digest,
    key_of,
)
from fiducial.validation.statistics import Outcome, holm

ALPHA = 1e-3


@dataclass(frozen=True)
class Result:
    """What became of one observable; ``failure`` is None where it passed."""

    chain: str
    name: str
    observable: Observable | None
    measured: Measurement | None = None
    reference: Reference | None = None
    outcome: Outcome | None = None
    p_adjusted: float | None = None
    failure: Failure | None = None
    detail: str = ""

    @property
    def reference_sha256(self) -> str | None:
        """Digest of the reference's file."""
        if self.reference is None:
            return None
        return hashlib.sha256(self.reference.payload()).hexdigest()

    @property
    def passed(self) -> bool:
        return self.failure is None


def examine(
    chain: str,
    observable: Observable,
    tables: Mapping[str, Table],
    store: ReferenceStore,
    seed: int,
) -> Result:
    """Measure one observable and compare it with its reference, if both can be had."""
    result = Result(chain, observable.name, observable)
    try:
        if observable.table not in tables:
            raise Refusal(Failure.MISSING_OBSERVABLE, f"the run has no table '{observable.table}'")
        result = replace(result, measured=measure(observable, tables[observable.table]))
        result = replace(result, reference=_reference(chain, observable, store, seed))
        assert result.measured is not None
        assert result.reference is not None
        outcome = compare(observable, result.measured, result.reference)
    except MissingColumn as error:
        return replace(result, failure=Failure.MISSING_OBSERVABLE, detail=str(error))
    except NotANumber as error:
        return replace(result, failure=Failure.NOT_A_NUMBER, detail=str(error))
    except Refusal as refusal:
        return replace(result, failure=refusal.failure, detail=refusal.detail)
    if math.isnan(outcome.p_value):
        return replace(result, failure=Failure.NOT_A_NUMBER, detail="the p-value is not a number")
    return replace(result, outcome=outcome)


def _reference(chain: str, observable: Observable, store: ReferenceStore, seed: int) -> Reference:
    key = key_of(chain, observable.name)
    if key not in store.entries:
        raise Refusal(Failure.EXTRA_OBSERVABLE, f"the manifest has no {key}: bless a reference")
    try:
        reference = store.read(key)
    except MissingReference as error:
        raise Refusal(Failure.MISSING_REFERENCE, str(error)) from None
    if reference.declaration_sha256 != declaration_digest(chain, observable):
        problem = _binning(observable, reference)
        if problem:
            raise Refusal(Failure.INCOMPATIBLE_BINNING, problem)
        raise Refusal(
            Failure.CHANGED_DECLARATION,
            "the observable was changed after its reference was blessed",
        )
    entry = store.entries[key]
    if entry.kind == "blessed" and entry.seed == seed:
        raise Refusal(
            Failure.NOT_INDEPENDENT, f"run and reference share the seed {seed}, hence their events"
        )
    return reference


def _binning(observable: Observable, reference: Reference) -> str:
    spec = observable.measure
    for name in ("low", "high", "bins"):
        mine, theirs = getattr(spec, name, None), reference.content.get(name)
        if spec.kind == "distribution" and mine != theirs:
            return f"{name} {mine}, the reference has {theirs}"
    return ""


def missing(chain: str, declared: Sequence[Observable], store: ReferenceStore) -> list[Result]:
    """References of a chain whose observable is no longer declared: a check that was dropped."""
    names = {observable.name for observable in declared}
    found = []
    for key in store.entries:
        owner, _, name = key.partition(".")
        if owner == chain and name not in names:
            detail = "it has a reference but is declared no more: remove the reference on purpose"
            found.append(
                Result(chain, name, None, failure=Failure.MISSING_OBSERVABLE, detail=detail)
            )
    return found


def judge(results: Sequence[Result], alpha: float = ALPHA) -> list[Result]:
    """Adjust the p-values of the whole family and fail what is significant."""
    compared = [i for i, result in enumerate(results) if result.outcome is not None]
    judged = list(results)
    p_values = [result.outcome.p_value for result in results if result.outcome is not None]
    for i, adjusted in zip(compared, holm(p_values), strict=True):
        result = replace(judged[i], p_adjusted=float(adjusted))
        if adjusted <= alpha:
            assert result.outcome is not None
            detail = f"p = {result.outcome.p_value:.2g}, adjusted {adjusted:.2g} <= {alpha:g}"
            result = replace(result, failure=Failure.DIFFERS, detail=detail)
        judged[i] = result
    return judged
