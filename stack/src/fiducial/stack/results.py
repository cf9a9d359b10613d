"""The results of a validation (``results.json``), read by somebody who does not trust them.

The file is written inside the stack, by the code under test. What the release manager's tool
relies on is checked here: the shape, and that the overall ``passed`` follows from the parts. A
results file that says passed over a failed, an absent or a not-a-number comparison is refused.
The rest of the file (values, references, plots) is carried along for the report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from fiducial.stack.errors import InputError, Mistake, Mistakes, from_os_error


class _Read(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="allow")


class Head(_Read):
    """The content of the first events of a run, which a deployed stack is asked to remake."""

    events: int
    content_sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")


class Run(_Read):
    """The part of a chain's ``run.json`` that is relied on."""

    events: int
    content_sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    head: Head
    seed: int | None = None


class Observable(_Read):
    """One comparison with a reference."""

    name: str
    passed: bool
    p_value: float | None = None
    p_adjusted: float | None = None
    failure: str | None = None


class Chain(_Read):
    """One reference chain: its run and its observables."""

    name: str
    title: str = ""
    events: int | None = None
    run: Run | None = None
    observables: list[Observable] = []


class Failed(_Read):
    """One line of the list of failures."""

    chain: str | None = None
    observable: str | None = None
    failure: str
    detail: str | None = None


class Results(_Read):
    """``results.json``; ``format`` 1."""

    format: int = pydantic.Field(ge=1, le=1)
    scale: str
    passed: bool
    family_wise_alpha: float = pydantic.Field(gt=0, lt=1)
    method: str
    references_sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    lock_sha256: str | None
    chains: list[Chain]
    failures: list[Failed]


def parse_results(data: bytes, where: str = "results.json") -> Results:
    """Read and judge results. Raises Mistakes: shape, or a ``passed`` that does not follow."""
    try:
        raw: Any = json.loads(data)
    except ValueError as error:
        raise InputError(f"{where} is not JSON", why=str(error)) from error
    try:
        results = Results.model_validate(raw)
    except pydantic.ValidationError as error:
        raise Mistakes(
            [
                Mistake(f"{where}: {'.'.join(map(str, item['loc']))}", item["msg"])
                for item in error.errors()
            ],
            "the results of the validation",
        ) from error
    wrong = [Mistake(where, problem) for problem in _contradictions(results)]
    if wrong:
        raise Mistakes(wrong, "the results of the validation")
    return results


def read_results(path: Path) -> Results:
    """``parse_results`` of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise from_os_error(error, "read the results", path) from error
    return parse_results(data, str(path))


def _contradictions(results: Results) -> Iterator[str]:
    """Everything that does not go together with ``passed``."""
    if not results.passed:
        if not results.failures:
            yield "passed is false, and no failure is listed"
        return
    for failed in results.failures:
        yield f"passed is true, but {failed.chain}.{failed.observable} is listed as failed"
    if not results.chains:
        yield "passed is true, but no chain was run"
    for chain in results.chains:
        if chain.run is None:
            yield f"passed is true, but chain {chain.name} has no run"
        elif chain.run.events < 1:
            yield f"passed is true, but chain {chain.name} ran no event"
        if not chain.observables:
            yield f"passed is true, but chain {chain.name} compared nothing"
        for observable in chain.observables:
            name = f"{chain.name}.{observable.name}"
            if not observable.passed or observable.failure is not None:
                yield f"passed is true, but {name} failed"
            for p in (observable.p_value, observable.p_adjusted):
                if p is not None and not (math.isfinite(p) and 0 <= p <= 1):
                    yield f"passed is true, but {name} has probability {p}"
