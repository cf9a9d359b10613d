"""The grammar of a chain file, before its steps are known.

::

    chain: zh_recoil                    # name; letters, digits, _ and -
    title: "what it shows"              # optional
    seed: 20260101                      # 0 … 2^64 - 1
    scales: {smoke: 1000, full: 500000} # events by name of scale
    range: 500                          # events a unit of work; rounded up to the producer's block
    steps:                              # a producer first, then any others, run in this order
      - {name: generate, use: gun, with: {…}}      # with: the settings of the step
    outputs:                            # optional; name: what is written
      events: {format: rntuple, keep: [EventHeader, MCParticles]}
      hepmc: {format: hepmc3, keep: [MCParticles], max_events: 1000}

``keep`` left out means all collections that leave the last step (for HepMC3, those that it can
hold); EventHeader is always kept.  An output's file is ``events.<suffix>`` where it is the only
one of its format, else ``<name>.<suffix>``.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fiducial.framework.ranges import DEFAULT_RANGE

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Events = Annotated[int, Field(gt=0, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]


HEPMC3_COLLECTIONS = ("MCParticles", "GeneratorTrials")
"""What HepMC3 can hold beside the header: particles, and the cross-section."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class StepEntry(_Part):
    """One step: the name it has in this chain, the step it uses, and its settings."""

    name: Name
    use: str
    settings: dict[str, Any] | None = Field(default=None, alias="with")


class RNTupleOutput(_Part):
    """Events as RNTuple."""

    format: Literal["rntuple"]
    keep: tuple[str, ...] | None = None
    max_events: Events | None = None


class HepMC3Output(_Part):
    """The generator's record as HepMC3 ASCII."""

    format: Literal["hepmc3"]
    keep: tuple[str, ...] | None = None
    max_events: Events | None = None


Output = Annotated[RNTupleOutput | HepMC3Output, Field(discriminator="format")]


class ChainFile(_Part):
    """A chain as its file spells it."""

    chain: Name
    title: str = ""
    seed: Seed = 1
    scales: Annotated[dict[Name, Events], Field(min_length=1)] = {"default": 1000}
    range: Annotated[int, Field(gt=0)] = DEFAULT_RANGE
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1)]
    outputs: dict[Name, Output] = {}
