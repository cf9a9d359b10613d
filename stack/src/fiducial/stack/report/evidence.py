"""Where a report's inputs come from: a folder of a validation, or a release in a repository.

Both give the same: a manifest, the results, the verdict (signature checked, bound to both)
and the plots. What does not verify is refused before a page is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fiducial.stack.errors import InputError
from fiducial.stack.keys import TrustedKeys
from fiducial.stack.manifest import NAME, Manifest, parse_manifest
from fiducial.stack.publish import RESULTS, VERDICT, read_input
from fiducial.stack.release import judge
from fiducial.stack.repository import Repository
from fiducial.stack.results import parse_results
from fiducial.stack.verdict import Expected, Verdict, verify_verdict

MAX_PLOT = 4 << 20
"""A plot above this [bytes] is left out: the page must stay small enough to mail."""


@dataclass(frozen=True)
class Evidence:
    """Everything a page is made of."""

    manifest: Manifest
    verdict: Verdict
    results: dict[str, Any]
    plots: Mapping[str, bytes]
    delivery: Mapping[str, Any] = field(default_factory=dict)
    """What a publish and a deploy said of themselves (their JSON answers), where known."""


def from_folder(
    stack: Path, validation: Path, trusted: TrustedKeys, delivery: Mapping[str, Any] | None = None
) -> Evidence:
    """The stack at ``stack`` with the outcome of its validation. Raises Refused, InputError."""
    data = read_input(stack / NAME)
    manifest = parse_manifest(data, str(stack / NAME))
    results = read_input(validation / RESULTS)
    expected = Expected(manifest.sha256, manifest.lock_sha256, None, results)
    path = validation / VERDICT
    verdict = verify_verdict(read_input(path), trusted, expected, must_pass=False, what=str(path))
    document = json.loads(results)
    plots = {}
    for name in plot_names(results):
        file = validation / name
        inside = file.resolve().is_relative_to(validation.resolve())
        if inside and file.is_file() and file.stat().st_size <= MAX_PLOT:
            plots[name] = file.read_bytes()
    return Evidence(manifest, verdict, document, plots, delivery or {})


def from_repository(
    repository: Repository,
    trusted: TrustedKeys,
    release: str,
    delivery: Mapping[str, Any] | None = None,
) -> Evidence:
    """A published release, failed ones too. Raises Refused, InputError."""
    judged = judge(repository, release, trusted, must_pass=False)
    kept = judged.release.evidence
    plots = {
        name: repository.read(kept[name].sha256, name)
        for name in plot_names(judged.results_bytes)
        if name in kept and kept[name].size <= MAX_PLOT
    }
    document = json.loads(judged.results_bytes)
    return Evidence(judged.manifest, judged.verdict, document, plots, delivery or {})


def plot_names(results: bytes) -> list[str]:
    """The plots that the results name."""
    names = {
        name
        for chain in parse_results(results).chains
        for observable in chain.observables
        if isinstance(name := (observable.model_extra or {}).get("plot"), str)
    }
    return sorted(names)


def read_delivery(path: Path) -> dict[str, Any]:
    """The JSON answer of a publish or a deploy. Raises InputError."""
    try:
        data = json.loads(read_input(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON", str(error)) from error
    if not isinstance(data, dict):
        raise InputError(f"{path} is not the answer of a command", "it is no JSON object")
    return data
