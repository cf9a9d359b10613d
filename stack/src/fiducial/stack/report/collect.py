"""From evidence to what the page shows: rows, groups and sentences, no HTML.

The results are read through their checked model where something is decided (passed, failures)
and as plain JSON, defensively, where something is only shown.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fiducial.stack.manifest import File, Manifest
from fiducial.stack.report import numbers
from fiducial.stack.report.evidence import Evidence


@dataclass(frozen=True)
class ObservableRow:
    """One comparison."""

    chain: str
    name: str
    title: str
    guards: str
    passed: bool
    failure: str | None
    detail: str | None
    value: str
    reference: str
    source: str
    kind: str
    comparison: str
    pull: float | None
    pull_text: str
    p: str
    p_adjusted: str
    plot: str | None
    """A data URI, so that the page needs no other file."""

    @property
    def anchor(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in f"o-{self.chain}-{self.name}")


@dataclass(frozen=True)
class StepRow:
    """One step of a chain: time and memory."""

    name: str
    use: str
    software: str
    events: str
    seconds: str
    rate: str
    memory: str
    share: float
    """Of the time of all steps, 0 to 1."""


@dataclass(frozen=True)
class ChainView:
    """One reference chain."""

    name: str
    title: str
    events: str
    wall: str
    overhead: str
    executor: str
    seed: str
    content: str
    command: str
    rows: list[ObservableRow]
    steps: list[StepRow]

    @property
    def failed(self) -> int:
        return sum(not row.passed for row in self.rows)


@dataclass(frozen=True)
class PackageRow:
    """One package of the stack."""

    name: str
    version: str
    kind: str
    licence: str
    summary: str
    files: str
    size: str
    source: str


@dataclass(frozen=True)
class View:
    """The whole page."""

    stack: str
    environment: str
    passed: bool
    partial: list[str] | None
    scale: str
    when: str
    alpha: str
    method: str
    observables: int
    agreed: int
    events: str
    wall: str
    failures: list[dict[str, str]]
    chains: list[ChainView]
    components: list[PackageRow]
    third_party: list[PackageRow]
    licences: list[tuple[str, int]]
    files: str
    size: str
    facts: list[tuple[str, str, str]]
    """(label, value, kind): kind "hash" is set in a monospaced face."""
    published: dict[str, Any] = field(default_factory=dict)
    deployed: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed_rows(self) -> list[ObservableRow]:
        return [row for chain in self.chains for row in chain.rows if not row.passed]


def collect(evidence: Evidence) -> View:
    """Everything the page shows."""
    results, predicate = evidence.results, evidence.verdict.predicate
    chains = [_chain(chain, evidence) for chain in _rows(results.get("chains"))]
    rows = [row for chain in chains for row in chain.rows]
    runs = [_mapping(chain.get("run")) for chain in _rows(results.get("chains"))]
    packages = [_package(package) for package in evidence.manifest.packages]
    entries = [e for e in evidence.manifest.entries().values() if isinstance(e, File)]
    delivery = evidence.delivery
    return View(
        stack=evidence.manifest.stack,
        environment=evidence.manifest.environment,
        passed=predicate.passed,
        partial=predicate.selection,
        scale=predicate.scale,
        when=predicate.when.replace("T", " ").replace("+00:00", " UTC"),
        alpha=numbers.alpha(predicate.family_wise_alpha),
        method={"holm": "Holm"}.get(predicate.method, predicate.method),
        observables=len(rows),
        agreed=sum(row.passed for row in rows),
        events=numbers.count(sum(numbers.number(run.get("events")) or 0 for run in runs)),
        wall=numbers.seconds(sum(numbers.number(run.get("wall_seconds")) or 0 for run in runs)),
        failures=[_failure(item) for item in _rows(results.get("failures"))],
        chains=chains,
        components=[package for package in packages if package.kind == "component"],
        third_party=[package for package in packages if package.kind != "component"],
        licences=Counter(package.licence for package in packages).most_common(),
        files=numbers.count(len(entries)),
        size=numbers.size(sum(entry.size for entry in entries)),
        facts=_facts(evidence),
        published=_mapping(delivery.get("published")),
        deployed=_mapping(delivery.get("deployed")),
        checks=_rows(_mapping(delivery.get("deployed")).get("checks")),
        phases=_rows(delivery.get("phases")),
    )


def _chain(chain: dict[str, Any], evidence: Evidence) -> ChainView:
    run = _mapping(chain.get("run"))
    steps = _rows(run.get("steps"))
    total = sum(numbers.number(step.get("seconds")) or 0.0 for step in steps) or 1.0
    details = {
        (_text(item.get("chain")), _text(item.get("observable"))): _text(item.get("detail"))
        for item in _rows(evidence.results.get("failures"))
    }
    name = _text(chain.get("name"))
    return ChainView(
        name=name,
        title=_text(chain.get("title")) or name,
        events=numbers.count(run.get("events", chain.get("events"))),
        wall=numbers.seconds(run.get("wall_seconds")),
        overhead=numbers.percent(run.get("overhead_fraction")),
        executor=_executor(run),
        seed=_text(run.get("seed")) or numbers.NONE,
        content=_text(run.get("content_sha256")) or numbers.NONE,
        command=_text(_mapping(run.get("provenance")).get("command")),
        rows=[
            _observable(name, item, evidence, details) for item in _rows(chain.get("observables"))
        ],
        steps=[_step(step, total) for step in steps],
    )


def _observable(
    chain: str,
    item: dict[str, Any],
    evidence: Evidence,
    details: dict[tuple[str, str], str],
) -> ObservableRow:
    value, reference = _mapping(item.get("value")), _mapping(item.get("reference"))
    name, plot = _text(item.get("name")), evidence.plots.get(_text(item.get("plot")))
    return ObservableRow(
        chain=chain,
        name=name,
        title=_text(item.get("title")) or name,
        guards=_text(item.get("guards")),
        passed=item.get("passed") is True,
        failure=_text(item.get("failure")) or None,
        detail=details.get((chain, name)) or None,
        value=numbers.measured(value.get("estimate"), value.get("error")),
        reference=numbers.measured(reference.get("estimate"), reference.get("error")),
        source=_text(reference.get("source")),
        kind=_text(reference.get("kind")),
        comparison=_text(item.get("comparison")),
        pull=numbers.number(item.get("pull")),
        pull_text=numbers.signed(item.get("pull")),
        p=numbers.probability(item.get("p_value")),
        p_adjusted=numbers.probability(item.get("p_adjusted")),
        plot=None if plot is None else _data_uri(plot),
    )


def _step(step: dict[str, Any], total: float) -> StepRow:
    seconds = numbers.number(step.get("seconds"))
    events = numbers.number(step.get("events_out")) or numbers.number(step.get("events_in"))
    rate = f"{numbers.count(events / seconds)} /s" if events and seconds else numbers.NONE
    software = f"{_text(step.get('distribution'))} {_text(step.get('version'))}".strip()
    return StepRow(
        name=_text(step.get("name")),
        use=_text(step.get("use")),
        software=software,
        events=numbers.count(events),
        seconds=numbers.seconds(seconds),
        rate=rate,
        memory=numbers.size(step.get("peak_rss_bytes")),
        share=min(1.0, max(0.0, (seconds or 0.0) / total)),
    )


def _package(package: Any) -> PackageRow:
    files = [entry for entry in package.files.values() if isinstance(entry, File)]
    return PackageRow(
        name=package.name,
        version=package.version,
        kind=package.kind,
        licence=package.licence or "unknown",
        summary=package.summary,
        files=numbers.count(len(package.files)),
        size=numbers.size(sum(file.size for file in files)),
        source=package.source_sha256,
    )


def _facts(evidence: Evidence) -> list[tuple[str, str, str]]:
    manifest, verdict = evidence.manifest, evidence.verdict
    predicate = verdict.predicate
    return [
        ("Stack", manifest.stack, "text"),
        ("Manifest", verdict.manifest_sha256, "hash"),
        ("Lock", manifest.lock_sha256, "hash"),
        ("Build inputs", manifest.inputs_sha256, "hash"),
        ("References", predicate.references_sha256, "hash"),
        ("Results", predicate.results_sha256, "hash"),
        ("Verdict", verdict.sha256, "hash"),
        ("Signed by key", verdict.key_id, "hash"),
        ("Signed", predicate.when, "text"),
        ("Builder", f"{manifest.builder.name} {manifest.builder.version}", "text"),
        ("Platform", _platform(manifest), "text"),
        ("Interpreter", _interpreter(manifest), "text"),
    ]


def _platform(manifest: Manifest) -> str:
    platform = manifest.platform
    libc = f", {platform.libc}" if platform.libc else ""
    return f"{platform.system} {platform.machine} ({platform.microarchitecture}{libc})"


def _interpreter(manifest: Manifest) -> str:
    interpreter = manifest.interpreter
    where = "the host's" if interpreter.mode == "host" else "bundled"
    return f"{interpreter.implementation} {interpreter.version} ({where})"


def _executor(run: dict[str, Any]) -> str:
    name, workers = _text(run.get("executor")), numbers.number(run.get("workers"))
    if not name:
        return numbers.NONE
    return f"{name}, {numbers.count(workers)} worker{'s' if workers != 1 else ''}"


def _failure(item: dict[str, Any]) -> dict[str, str]:
    return {key: _text(item.get(key)) for key in ("chain", "observable", "failure", "detail")}


def _data_uri(svg: bytes) -> str:
    """As an image: an SVG in an ``img`` runs no script and loads nothing."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value)[:2000]
