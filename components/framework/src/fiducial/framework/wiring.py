"""Who reads what: the mistakes of a chain that only show when its steps stand together.

A chain begins with its one producer; every collection that a step reads was made by an earlier
step; what an output keeps leaves the last step.  Where an earlier step could not be understood,
what it makes is presumed from its type (or the nearest one): of the names that outputs keep, those
are then reported that look like a misspelling of what is there, and no others.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fiducial.core.config import Document
from fiducial.core.errors import Mistake, did_you_mean, nearest
from fiducial.edm.steps import Producer, Step
from fiducial.framework.chain_model import HEPMC3_COLLECTIONS, Output


@dataclass(frozen=True)
class Placed:
    """A step at its place in the file; `step` is None where it could not be understood.

    presumed  what a step that could not be understood would make, as far as can be told
    """

    index: int
    name: str
    step: Step | None
    presumed: Mapping[str, str] = field(default_factory=dict)


def check_order(document: Document, placed: Sequence[Placed]) -> Iterator[Mistake]:
    """One producer, at the beginning; every name once."""
    counts = Counter(p.name for p in placed)
    first_of: dict[str, int] = {}
    producer: str | None = None
    for p in placed:
        at = ("steps", p.index)
        if counts[p.name] > 1 and first_of.setdefault(p.name, p.index) != p.index:
            yield document.mistake(
                (*at, "name"),
                f"a second step named '{p.name}'",
                f"rename one: steps[{first_of[p.name]}] has that name too",
            )
        if p.step is None:
            continue
        if isinstance(p.step, Producer):
            if producer is not None:
                yield document.mistake(
                    (*at, "use"),
                    f"a second producer '{p.name}'",
                    f"remove it: '{producer}' makes the events already",
                )
            elif p.index > 0:
                yield document.mistake(
                    (*at, "use"),
                    f"the producer '{p.name}' is not the first step",
                    "move it to the beginning: a producer makes the events",
                )
            producer = producer or p.name
        elif p.index == 0:
            yield document.mistake(
                (*at, "use"),
                f"the first step '{p.name}' is no producer",
                "begin with a step that makes events (fiducial step list shows them)",
            )


def check_collections(document: Document, placed: Sequence[Placed]) -> Iterator[Mistake]:
    """Every collection that is read was made before, and none is overwritten unread."""
    made: dict[str, str] = {}
    later = {name: p.name for p in reversed(placed) if p.step for name in p.step.outputs}
    for p in placed:
        if p.step is None:
            return
        at = ("steps", p.index)
        if isinstance(p.step, Producer) and "EventHeader" not in p.step.outputs:
            yield document.mistake((*at, "use"), f"the producer '{p.name}' makes no EventHeader")
        for name in p.step.inputs:
            if name in made:
                continue
            maker = later.get(name)
            if maker is not None and maker != p.name:
                hint = f"move '{p.name}' after '{maker}', which makes it"
            else:
                hint = did_you_mean(name, sorted(made))
            yield document.mistake(
                at, f"'{p.name}' reads '{name}', which no earlier step makes", hint
            )
        for name in p.step.outputs:
            if name in made and name not in p.step.inputs:
                yield document.mistake(
                    at,
                    f"'{p.name}' makes '{name}', which '{made[name]}' makes too",
                    "rename the collection of one of the two, or remove a step",
                )
            made.setdefault(name, p.name)


def check_outputs(
    document: Document, outputs: dict[str, Output], placed: Sequence[Placed]
) -> Iterator[Mistake]:
    """Outputs keep collections that exist, each once, and the formats get what they need."""
    certain = bool(placed) and all(p.step is not None for p in placed)
    made = {name for p in placed for name in (p.step.outputs if p.step else p.presumed)}
    for key, output in outputs.items():
        keep = output.keep
        if keep is not None:
            for name, count in Counter(keep).items():
                if count > 1:
                    yield document.mistake(
                        ("outputs", key, "keep"), f"'{name}' is kept {count} times"
                    )
        for position, name in enumerate(keep or ()):
            if name not in made and (certain or nearest(name, made)):
                explicit = "keep" in document.at(("outputs", key))
                at = ("outputs", key, "keep", position) if explicit else ("outputs", key)
                yield document.mistake(
                    at, f"no step makes '{name}'", did_you_mean(name, sorted(made))
                )
        if output.format != "hepmc3" or not certain:
            continue
        at = ("outputs", key)
        if "MCParticles" not in (made if keep is None else keep):
            yield document.mistake(at, "HepMC3 holds MCParticles", "keep MCParticles")
        for name in keep or ():
            if name not in ("EventHeader", *HEPMC3_COLLECTIONS):
                yield document.mistake(at, f"HepMC3 cannot hold '{name}'", "keep it as rntuple")
