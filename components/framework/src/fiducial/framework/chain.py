"""A chain: its file read, its steps loaded, and every mistake found before anything is written.

``load_chain`` takes the name of an installed chain or a path, and raises one `Mistakes` that
lists all of them, each with its line and the nearest valid names: keys, steps, settings (checked
by the model of the step they are for), order, collections, outputs, and what each step's own
``check`` refuses (an unknown Pythia setting, a card with a negative resolution).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fiducial.core.config import Document, dump, parse_document, read
from fiducial.core.errors import (
    FiducialError,
    InputError,
    InternalError,
    Mistake,
    Mistakes,
    did_you_mean,
    nearest,
)
from fiducial.edm.steps import Consumer, Filter, Producer, Step, Transformer
from fiducial.framework.chain_model import HEPMC3_COLLECTIONS, ChainFile, Output
from fiducial.framework.measure import Meter, Usage
from fiducial.framework.ranges import aligned
from fiducial.framework.registry import Registration, load_registration, pick_step, steps_by_name
from fiducial.framework.wiring import Placed, check_collections, check_order, check_outputs

KINDS: tuple[tuple[type[Step], str], ...] = (
    (Producer, "producer"),
    (Transformer, "transformer"),
    (Filter, "filter"),
    (Consumer, "consumer"),
)


def kind_of(step: type[Step]) -> str:
    """``producer``, ``transformer``, ``filter`` or ``consumer``."""
    for base, name in KINDS:
        if issubclass(step, base):
            return name
    raise InternalError(
        f"{step.__module__}.{step.__qualname__} is no kind of step",
        hint="derive it from Producer, Transformer, Filter or Consumer of fiducial.edm.steps",
    )


@dataclass(frozen=True)
class NamedStep:
    """A step with the name that it has in its chain, and where it comes from."""

    name: str
    use: str
    step: Step
    distribution: str
    version: str


@dataclass(frozen=True)
class Chain:
    """A valid chain.

    source  the name or path it was asked by;  text  its file, byte for byte
    checks  what ``check`` of each step took, by the step's name
    """

    name: str
    title: str
    seed: int
    scales: Mapping[str, int]
    range: int
    steps: tuple[NamedStep, ...]
    outputs: Mapping[str, Output]
    source: str
    text: str
    checks: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def producer(self) -> Producer:
        """The step that makes the events."""
        step = self.steps[0].step
        assert isinstance(step, Producer)
        return step

    @property
    def block(self) -> int:
        """Events that share one seed; ranges begin at multiples of it."""
        return type(self.producer).block

    @property
    def collections(self) -> dict[str, str]:
        """{collection: type name} as they leave the last step."""
        return {name: kind for s in self.steps for name, kind in s.step.outputs.items()}

    @property
    def keep(self) -> tuple[str, ...]:
        """The content of a run: what its outputs keep, or everything where there is no output."""
        if not self.outputs:
            return tuple(sorted(self.collections))
        return tuple(sorted({name for key in self.outputs for name in self.kept(key)}))

    def kept(self, output: str) -> tuple[str, ...]:
        """The collections of one output, EventHeader first."""
        wanted, made = self.outputs[output], sorted(self.collections)
        names: Iterable[str] = made if wanted.keep is None else wanted.keep
        if wanted.format == "hepmc3":
            names = [name for name in names if name in HEPMC3_COLLECTIONS]
        return tuple(dict.fromkeys(("EventHeader", *names)))

    def events(self, scale: str) -> int:
        """Events of a scale; `InputError` with the nearest names where there is none."""
        if scale not in self.scales:
            raise InputError(
                f"the chain '{self.name}' has no scale '{scale}'",
                hint=did_you_mean(scale, list(self.scales)),
            )
        return self.scales[scale]

    def range_size(self, asked: int | None = None) -> int:
        """Events a unit of work: what was asked or the chain's own, up to a multiple of `block`."""
        return aligned(asked if asked is not None else self.range, self.block)

    def canonical(self) -> dict[str, Any]:
        """Everything that the answer depends on, apart from seed and events, as plain data."""
        return {
            "chain": self.name,
            "steps": [{"name": s.name, "use": s.use, "with": dump(s.step)} for s in self.steps],
            "outputs": {name: dump(output) for name, output in self.outputs.items()},
        }

    @property
    def sha256(self) -> str:
        """Digest of `canonical`, so of every setting, defaults included."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def load_chain(source: str | Path, *, check: bool = True) -> Chain:
    """Read a chain by name or path.

    check  also ask every step to check its settings (which may start an engine)
    """
    from fiducial.framework.catalog import chain_path

    path = chain_path(source)
    document, text = read(path), path.read_text(encoding="utf-8")
    return _build(document, str(source), check, text)


def parse_chain(text: str, name: str = "<string>", *, check: bool = True) -> Chain:
    """Read a chain from text; `name` stands for the file in messages."""
    return _build(parse_document(text, name), name, check, text)


def _build(document: Document, source: str, check: bool, text: str) -> Chain:
    mistakes: list[Mistake] = []
    failures: list[FiducialError] = []
    entry: ChainFile | None = None
    try:
        entry = document.validate(ChainFile)
    except Mistakes as found:
        mistakes.extend(found.mistakes)
    steps, placed = _load_steps(document, mistakes, failures)
    mistakes.extend(check_order(document, placed))
    mistakes.extend(check_collections(document, placed))
    checks = _check_steps(document, placed, mistakes, failures) if check else {}
    if entry is not None:
        mistakes.extend(check_outputs(document, entry.outputs, placed))
    if mistakes:
        for failure in failures:
            mistakes.append(Mistake("", str(failure)))
        raise Mistakes(sorted(mistakes, key=_line), document.name)
    if failures:
        raise failures[0]
    assert entry is not None
    return Chain(
        name=entry.chain,
        title=entry.title,
        seed=entry.seed,
        scales=entry.scales,
        range=entry.range,
        steps=tuple(steps),
        outputs=entry.outputs,
        source=source,
        text=text,
        checks=checks,
    )


def _line(mistake: Mistake) -> int:
    for part in mistake.where.split(":")[1:]:
        if part.isdigit():
            return int(part)
    return 10**9


def _presumed(use: str, known: Mapping[str, Sequence[Registration]]) -> Mapping[str, str]:
    """What a step that cannot be understood makes: asked of its type, or of the nearest one."""
    names = [use] if use in known else nearest(use, known, n=1)
    if not names:
        return {}
    try:
        return load_registration(pick_step(names[0], known)).model_construct().outputs
    except (FiducialError, AttributeError):  # absent, or its settings decide what it makes
        return {}


def _load_steps(
    document: Document, mistakes: list[Mistake], failures: list[FiducialError]
) -> tuple[list[NamedStep], list[Placed]]:
    """Every step that can be understood, also where the rest of the file cannot."""
    raw = document.data.get("steps") if isinstance(document.data, dict) else None
    known = steps_by_name()
    steps: list[NamedStep] = []
    placed: list[Placed] = []
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        step: Step | None = None
        presumed: Mapping[str, str] = {}
        if isinstance(item, dict) and isinstance(use := item.get("use"), str):
            named = _load_step(document, index, item, use, known, mistakes, failures)
            if named is not None:
                steps.append(named)
                step = named.step
            else:
                presumed = _presumed(use, known)
        name = item.get("name") if isinstance(item, dict) else None
        label = name if isinstance(name, str) else f"steps[{index}]"
        placed.append(Placed(index, label, step, presumed))
    return steps, placed


def _load_step(
    document: Document,
    index: int,
    item: dict[str, Any],
    use: str,
    known: Mapping[str, Sequence[Registration]],
    mistakes: list[Mistake],
    failures: list[FiducialError],
) -> NamedStep | None:
    try:
        registration = pick_step(use, known)
        model = load_registration(registration)
    except InputError as error:
        mistakes.append(document.mistake(("steps", index, "use"), error.problem, error.hint))
        return None
    except FiducialError as error:
        failures.append(error)
        return None
    if item.get("with") is None:
        item["with"] = {}  # all defaults; a missing key is reported at the step's line
    try:
        step = document.validate(model, ("steps", index, "with"))
    except Mistakes as found:
        mistakes.extend(found.mistakes)
        return None
    name = item.get("name")
    return NamedStep(
        name if isinstance(name, str) else f"steps[{index}]",
        use,
        step,
        registration.distribution,
        registration.version,
    )


def _check_steps(
    document: Document,
    placed: list[Placed],
    mistakes: list[Mistake],
    failures: list[FiducialError],
) -> dict[str, Usage]:
    """Ask every step to check its own settings; what they took counts as the steps' time."""
    meter = Meter()
    for p in placed:
        if p.step is None:
            continue
        where = document.where(("steps", p.index, "with"))
        try:
            with meter.measure(p.name):
                p.step.check()
        except Mistakes as found:
            for mistake in found.mistakes:
                inner = f"{where}: {mistake.where}" if mistake.where else where
                mistakes.append(Mistake(inner, mistake.problem, mistake.hint))
        except InputError as error:
            problem = f"{error.problem} ({error.why})" if error.why else error.problem
            mistakes.append(Mistake(where, problem, error.hint))
        except FiducialError as error:
            failures.append(error)
    return meter.usages
