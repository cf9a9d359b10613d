"""Pythia 8 itself: the only module that imports it.

An :class:`Engine` is one initialised Pythia. It makes event k of a seed with nothing left over
from the events before: a hook at the beginning of each event seeds Pythia's random numbers
anew and clears its statistics, so an event, with its cross-section accounting, is the same bits
whether it is made alone or as one of a million (tested for e+e- and pp). Initialisation (search
for the maxima of the cross-section, tables of multiparton interactions) uses Pythia's own fixed
default seed and does not depend on the run's seed.

An event that Pythia gives up (``next()`` fails) is tried again with the seed of attempt 1, 2, …,
each a function of (seed, event, attempt); its phase-space points count as trials of the event.

The hooks are ``onBeginEvent`` and ``onEndEvent`` of a Pythia ``UserHooks``; arrays come from its
``nextBatch``. Pythia 8.3: C. Bierlich et al., SciPost Phys. Codebases 8 (2022).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.core.errors import InputError, InternalError, MissingExtra
from fiducial.core.random import derive, event_seed
from fiducial.generators.analytic import Electroweak
from fiducial.generators.pythia_database import Database, Kind, Setting, Species
from fiducial.generators.pythia_messages import messages_of_failed_init
from fiducial.generators.pythia_record import PythiaRecord
from fiducial.generators.pythia_seeding import seeder
from fiducial.generators.pythia_trials import ManyProcesses, OneProcess, PhaseSpace, Trials

try:
    import pythia8mc
except ImportError as error:
    raise MissingExtra("pythia8mc (Pythia 8)", "fiducial-generators", "pythia8") from error

__all__ = ["Engine", "GeneratedEvents", "database", "engine"]

MAX_ATTEMPTS = 100
"""Attempts at one event before the configuration is refused."""

CHUNK_LINES = 150_000
"""Lines of event records converted at a time, some 50 MB: fewer cost the fixed price of a
conversion. Events are the same for any number."""

_OWN = (
    "Print:quiet = on",
    "Print:errors = off",
    "Stat:showProcessLevel = off",
    "Stat:showPartonLevel = off",
    "Stat:showErrors = off",
    "Stat:reset = on",
)

# Soft QCD process codes, and what getSigmaPartial calls them (manual, "Total Cross Sections").
_SOFT = {101: 1, 102: 2, 103: 3, 104: 4, 105: 5, 106: 6}


@lru_cache(maxsize=1)
def database() -> Database:
    """Pythia's settings and species with their defaults; takes some 0.1 s once."""
    pythia = pythia8mc.Pythia("", False)
    kinds: tuple[Kind, ...] = ("flag", "mode", "parm", "word", "fvec", "mvec", "pvec", "wvec")
    settings = []
    for kind in kinds:
        getter = f"get{kind.capitalize() if kind[1:] != 'vec' else kind[0].upper() + 'Vec'}Map"
        for entry in getattr(pythia.settings, getter)("").values():
            low = entry.valMin if getattr(entry, "hasMin", False) else None
            high = entry.valMax if getattr(entry, "hasMax", False) else None
            settings.append(Setting(entry.name, kind, low, high))
    return Database(settings, _species(pythia.particleData))


def _species(data: Any) -> Iterator[Species]:
    pdg = data.nextId(1) if not data.isParticle(1) else 1
    while pdg:
        channels = data.findParticle(pdg).sizeChannels()
        yield Species(pdg, data.name(pdg), bool(data.hasAnti(pdg)), channels)
        pdg = data.nextId(pdg)


@lru_cache(maxsize=4)
def engine(lines: tuple[str, ...]) -> Engine:
    """The engine of these settings, initialised once in a process."""
    return Engine(lines)


@dataclass(frozen=True)
class GeneratedEvents:
    """Some consecutive events: their records, trials and alternative weights.

    weights  (n_events, n_weights) float64, Pythia's weights of the event relative to its own
    """

    record: PythiaRecord
    trials: list[Trials]
    weights: npt.NDArray[np.float64]


class Engine:
    """One initialised Pythia; ``lines`` are checked settings. Raises InputError if it refuses."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._pythia = pythia8mc.Pythia("", False)
        for line in (*lines, *_OWN):
            if not self._pythia.readString(line, False):
                raise InputError(f"Pythia refuses the setting '{line}'")
        self._hooks = _Hooks(self._pythia)
        self._pythia.setUserHooksPtr(self._hooks)
        if not self._pythia.init():
            raise InputError(
                "Pythia cannot be initialised",
                messages_of_failed_init(lines),
                "change the settings",
            )
        self._hooks.account = self._accounting()
        self._species = _SpeciesTable(self._pythia.particleData)
        self._lines_per_event = float(max(self._pythia.event.size(), 1))

    def generate(self, first: int, count: int, seed: int) -> Iterator[GeneratedEvents]:
        """Events ``first`` … ``first + count - 1`` of a seed, some hundreds at a time."""
        start, stop = first, first + count
        while start < stop:
            with self._lock:
                chunk = max(int(CHUNK_LINES / self._lines_per_event), 1)
                events = self._chunk(start, min(start + chunk, stop), seed)
                self._lines_per_event = len(events.record.pdg) / len(events.trials)
            start += len(events.trials)
            yield events

    def electroweak(self, scale: float) -> Electroweak:
        """The couplings that Pythia uses for a process at ``scale`` [GeV], for an oracle.

        Pythia computes the Z's width from its partial widths while it initialises.
        """
        couplings, data = self._pythia.coupSM, self._pythia.particleData
        return Electroweak(
            alpha=couplings.alphaEM(scale**2),
            sin2_theta_w=couplings.sin2thetaW(),
            sin2_theta_eff=couplings.sin2thetaWbar(),
            m_z=data.m0(23),
            gamma_z=data.mWidth(23),
            m_h=data.m0(25),
        )

    def _chunk(self, first: int, stop: int, seed: int) -> GeneratedEvents:
        hooks = self._hooks
        hooks.start(first, stop - first, seed)
        parts = []
        while hooks.event < stop:
            parts.append(self._pythia.nextBatch(stop - hooks.event))
            hooks.raise_problem()
        records = [_arrays(part) for part in parts if len(part)]
        columns = {key: np.concatenate([r[key] for r in records]) for key in records[0]}
        counts = columns.pop("counts")
        if len(counts) != stop - first or len(hooks.trials) != stop - first:
            raise InternalError(
                f"Pythia gave {len(counts)} events and told of {len(hooks.trials)}",
                f"{stop - first} were asked for",
            )
        weights = columns.pop("weights").reshape(len(counts), -1)
        charge, is_hadron = self._species.look_up(columns["pdg"])
        record = PythiaRecord(
            offsets=np.concatenate(([0], np.cumsum(counts))),
            charge=charge,
            is_hadron=is_hadron,
            **columns,
        )
        return GeneratedEvents(record, hooks.trials, weights)

    def _accounting(self) -> OneProcess | ManyProcesses:
        """Choose the accounting: one event tells which processes there are."""
        hooks, pythia = self._hooks, self._pythia
        spaces = hooks.end_capture()
        pythia.rndm.init(1)
        if not any(pythia.next() for _ in range(MAX_ATTEMPTS)):
            raise InputError(
                "Pythia cannot make an event", f"{MAX_ATTEMPTS} attempts", "change the settings"
            )
        codes = list(pythia.infoPython().codesHard())
        if len(codes) == 1 and not pythia.flag("PhaseSpace:bias2Selection"):
            return OneProcess(spaces.get(codes[0]))
        beams = pythia.mode("Beams:idA"), pythia.mode("Beams:idB")
        e_cm = pythia.infoPython().eCM()
        soft = {}
        for code in codes:
            if code not in spaces:
                if code not in _SOFT:
                    raise InputError(
                        f"process {code} cannot be generated together with others",
                        "its trials cannot be counted event by event",
                        "give it a chain of its own",
                    )
                soft[code] = pythia.getSigmaPartial(*beams, e_cm, _SOFT[code])
        hooks.count_every_trial(spaces)
        return ManyProcesses(spaces, soft)


class _Hooks(pythia8mc.UserHooks):  # type: ignore[misc]
    """Called by Pythia: seeds each event, and tells its trials.

    Python errors must not pass through Pythia's frames, so they wait for ``raise_problem``.
    """

    def __init__(self, pythia: Any) -> None:
        super().__init__()
        self._pythia = pythia
        self._seeder = seeder(pythia.rndm)
        self._first = 0
        self._spaces: dict[int, PhaseSpace] = {}
        self._capturing = True
        self._problem: Exception | None = None
        self._active = False
        self._attempt = 0
        self._seed = 0
        self.account: OneProcess | ManyProcesses | None = None
        self.event = 0
        self.trials: list[Trials] = []

    def start(self, first: int, count: int, seed: int) -> None:
        """The next events are ``first`` … ``first + count - 1`` of ``seed``."""
        self._seeder.prepare([event_seed(seed, first + nth) for nth in range(count)])
        self.event, self._first, self._seed, self._attempt = first, first, seed, 0
        self._active, self.trials, self._problem = True, [], None

    def raise_problem(self) -> None:
        """Raise what went wrong in a hook, or an event that never succeeds."""
        if self._problem is not None:
            raise self._problem
        if self._attempt >= MAX_ATTEMPTS:
            raise InputError(
                f"Pythia cannot make event {self.event}",
                f"{self._attempt} attempts with different seeds failed",
                "change the settings",
            )

    def end_capture(self) -> dict[int, PhaseSpace]:
        """The phase space of each hard process, seen during initialisation; ends the calls."""
        self._capturing = False
        for space in self._spaces.values():
            space.canModifySigma = False  # type: ignore[attr-defined]
        return self._spaces

    def count_every_trial(self, spaces: dict[int, PhaseSpace]) -> None:
        """From now on ``account.trial`` is called for each trial."""
        for space in spaces.values():
            space.canModifySigma = True  # type: ignore[attr-defined]

    # Pythia's names

    def onBeginEvent(self) -> None:
        if not self._active:
            return
        if self._attempt == 0:
            self._pythia.stat()  # prints nothing, clears the counters of all processes
            self.account.begin()  # type: ignore[union-attr]
            self._seeder.seed(self.event - self._first)
        else:
            seed = derive(self._seed, f"attempt {self._attempt}")
            self._pythia.rndm.init(event_seed(seed, self.event))

    def onEndEvent(self, status: Any) -> None:
        if not self._active:
            return
        if int(status) != 0:
            self._attempt += 1
            return
        try:
            self.trials.append(self.account.end(self._pythia.infoPython()))  # type: ignore[union-attr]
        except Exception as problem:
            self._problem = self._problem or problem
        self.event += 1
        self._attempt = 0

    def canModifySigma(self) -> bool:
        return True

    def multiplySigmaBy(self, process: Any, space: Any, in_event: bool) -> float:
        if self._capturing:
            self._spaces.setdefault(process.code(), space)
        elif self._active:
            self.account.trial(process.code(), space.sigmaNow())  # type: ignore[union-attr]
        return 1.0


class _SpeciesTable:
    """Charge and kind of species, asked of Pythia once each."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._codes = np.zeros(0, dtype=np.int32)
        self._charge = np.zeros(0, dtype=np.float32)
        self._is_hadron = np.zeros(0, dtype=bool)

    def look_up(
        self, pdg: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Charge [e] and whether it is a hadron, (n,) each."""
        at = self._places(pdg)
        if len(self._codes) == 0 or not np.array_equal(self._codes[at], pdg):
            self._codes = np.union1d(self._codes, pdg)
            codes = self._codes.tolist()
            self._charge = np.array([self._data.charge(c) for c in codes], dtype=np.float32)
            self._is_hadron = np.array([self._data.isHadron(c) for c in codes], dtype=bool)
            at = self._places(pdg)
        return self._charge[at], self._is_hadron[at]

    def _places(self, pdg: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._codes, pdg), max(len(self._codes) - 1, 0))


def _arrays(batch: Any) -> dict[str, npt.NDArray[Any]]:
    """The buffers of one ``nextBatch`` as numpy arrays; only the vertices are copied."""
    particles = batch.layout.content("prt")
    lines = particles.content
    momentum, vertex = lines.content("p"), lines.content("vProd")
    is_set = vertex.index.data >= 0
    columns = {
        "counts": np.diff(particles.offsets.data),
        "weights": batch.layout.content("info").content("weights").content.data,
        "pdg": lines.content("id").data,
        "mass": lines.content("m").data,
        "polarisation": lines.content("pol").data,
    }
    for name in ("status", "mother1", "mother2"):
        columns[name] = lines.content(name).data
    for name in ("px", "py", "pz"):
        columns[name] = momentum.content(name).data
    for name, source in (("x", "px"), ("y", "py"), ("z", "pz"), ("t", "e")):
        column = np.zeros(len(is_set))
        column[is_set] = vertex.content.content(source).data[vertex.index.data[is_set]]
        columns[name] = column
    return columns
