"""A detector card: the parametrised response of a detector, validated before anything runs.

The YAML keys are the fields below; docs/physics/fast-simulation.md has the table of them.
Units: GeV, mm, tesla, radian unless a key says otherwise. Every mistake of a card is reported
at once with its file and line. A card is pure data: `tables.compile_card` turns it into the flat
columns that the kernels read, `response` evaluates it in closed form.
"""

import math
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fiducial.core import config
from fiducial.core.errors import InputError, nearest
from fiducial.simulation.calorimeter_model import Calorimeter, EnergyFractions
from fiducial.simulation.probability_map import Map, NoChance, max_sum
from fiducial.simulation.tracker_model import Tracker

__all__ = [
    "Card",
    "card_names",
    "load_card",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrackIdentity(_Model):
    """Probabilities that a track is called electron or muon; else it is a charged hadron."""

    electron: Map = NoChance
    muon: Map = NoChance

    @model_validator(mode="after")
    def _at_most_one(self) -> Any:
        worst = max_sum(self.electron, self.muon)
        if worst > 1 + 1e-12:
            raise ValueError(f"electron and muon probabilities add up to {worst:g} somewhere")
        return self


class ClusterIdentity(_Model):
    """Probability that an electromagnetic object is called photon; else neutral hadron."""

    photon: Map


class Identification(_Model):
    electron: TrackIdentity
    muon: TrackIdentity
    charged_hadron: TrackIdentity
    photon: ClusterIdentity
    neutral_hadron: ClusterIdentity


class Card(_Model):
    """A whole detector. `sources` names where each group of figures was published."""

    card: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    title: str
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    beam_spot: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [mm] d0 and z0 are relative to it
    tracker: Tracker
    ecal: Calorimeter
    hcal: Calorimeter
    energy_fractions: EnergyFractions
    identification: Identification

    @model_validator(mode="after")
    def _inside(self) -> Any:
        x, y, z = self.beam_spot
        if math.hypot(x, y) >= self.tracker.radius or abs(z) >= self.tracker.half_length:
            raise ValueError(f"beam_spot {list(self.beam_spot)} lies outside the tracker")
        return self

    def calorimeter(self, name: str) -> Calorimeter:
        """`ecal` or `hcal` by name."""
        if name not in ("ecal", "hcal"):
            raise InputError(f"no calorimeter {name!r}", "a card has ecal and hcal")
        calorimeter: Calorimeter = getattr(self, name)
        return calorimeter


def card_names() -> list[str]:
    """Names of the cards that come with the package."""
    folder = resources.files("fiducial.simulation") / "cards"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


@lru_cache(maxsize=16)
def _parsed(text: str, name: str) -> Card:
    return config.parse(text, Card, name)


def _read(path: Path) -> Card:
    """The card in a file; what was read before is not validated again while it stays the same."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return config.load(path, Card)  # says what is wrong
    return _parsed(text, str(path))


def load_card(name_or_path: str | Path) -> Card:
    """A card by the name of a shipped one (`idea`, `lhc`) or by a path to a YAML file.

    Raises Mistakes with every mistake of the file, InputError where there is no such card.
    """
    text = str(name_or_path)
    if "/" in text or text.endswith((".yaml", ".yml")):
        return _read(Path(text))
    if text in card_names():
        with resources.as_file(resources.files("fiducial.simulation") / "cards") as folder:
            return _read(folder / f"{text}.yaml")
    known = card_names()
    close = nearest(text, known)
    raise InputError(
        f"no card {text!r}",
        f"this package has {', '.join(known)}",
        f"did you mean {close[0]!r}? A path to a card ends in .yaml"
        if close
        else "a path to a card ends in .yaml",
    )
