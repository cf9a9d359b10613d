"""What Pythia 8 knows: its settings and its particle species, as plain data.

The engine module fills a :class:`Database` from a running Pythia; everything that checks a
user's settings works on this copy, so that it needs no engine and no engine's quirks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Database", "Kind", "Setting", "Species"]

Kind = Literal["flag", "mode", "parm", "word", "fvec", "mvec", "pvec", "wvec"]


@dataclass(frozen=True)
class Setting:
    """One setting of Pythia's database.

    name      as Pythia spells it: ``Beams:eCM``
    kind      flag (on/off), mode (integer), parm (number), word (text), and vectors of these
    minimum   smallest value accepted, None where there is none; maximum likewise
    """

    name: str
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None

    def range(self) -> str:
        """The range in words: ``0.06 to 0.25``, ``at least 1``; empty where there is none."""
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return f"at most {self.maximum:g}" if self.maximum is not None else ""


@dataclass(frozen=True)
class Species:
    """One particle species: PDG code (> 0), Pythia's name, whether it has an antiparticle, and
    the number of its decay channels."""

    pdg: int
    name: str
    has_anti: bool
    channels: int


class Database:
    """Settings by lower-case name (Pythia is blind to case) and species by PDG code."""

    def __init__(self, settings: Iterable[Setting], species: Iterable[Species]) -> None:
        self.settings: Mapping[str, Setting] = {s.name.lower(): s for s in settings}
        self.species: Mapping[int, Species] = {s.pdg: s for s in species}
        self.names: list[str] = [s.name for s in self.settings.values()]

    def nearest_species(self, pdg: int) -> list[Species]:
        """The species whose codes look most like ``pdg``: the numerically closest three."""
        return sorted(self.species.values(), key=lambda s: abs(s.pdg - pdg))[:3]
