"""The cross-section, accounted for event by event.

Pythia finds its cross-section while it generates: each event costs some trials, phase-space
points with a differential weight w [mb], of which one is accepted. Its estimate is the mean of w
over all trials. Here the trials of each event are kept apart, so that any set of events gives

    sigma = sum(weightSum) / sum(trials),
    error^2 = (sum(weightSquaredSum) / sum(trials) - sigma^2) / sum(trials),

and a sum over events does not depend on who made them.

*One process.* ``weightSum`` is the sum of w over the trials, from Pythia's own statistics of
this event. ``weightSquaredSum`` is W w, with W the maximum and w the accepted point's weight:
points are accepted with probability w / W, so its expectation is that of the sum of w^2 (which
Pythia does not tell without a call back to Python for every trial).

*Several processes*, or a biased selection of points. Pythia chooses the process i of each trial
with probability W_i / sum(W). A trial then weighs w sum(W) / W_i, whose mean is the total
cross-section; sums and squares are exact, from a call for every trial. Pythia averages each
process apart, so its own estimate from the same events differs a little, within the error. Soft
QCD processes have a constant cross-section, known beforehand.

A selected point that is vetoed later (a failed shower) makes Pythia multiply sigma by
accepted / selected; the sums of its event are divided by its number of selected points, which
has the same mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from fiducial.core.errors import InternalError
from fiducial.core.units import mb

__all__ = ["ManyProcesses", "OneProcess", "PhaseSpace", "Trials"]


class PhaseSpace(Protocol):
    """What is asked of Pythia's phase-space generator of one process."""

    def sigmaNow(self) -> float: ...
    def sigmaMax(self) -> float: ...


class Trials(NamedTuple):
    """One event's trials, and its weight; sums in pb and pb^2."""

    trials: int
    weight_sum: float
    weight_squared_sum: float
    event_weight: float


class OneProcess:
    """Accounting of a configuration with a single process, whose selection is not biased."""

    def __init__(self, space: PhaseSpace | None) -> None:
        self._space = space

    def begin(self) -> None:
        """A new event."""

    def end(self, info: Any) -> Trials:
        """The event just accepted; ``info`` holds the statistics of this event alone."""
        trials = info.nTried()
        weight_sum = info.sigmaGen() * trials * mb
        return Trials(trials, weight_sum, self._squares(weight_sum), info.weight())

    def _squares(self, weight_sum: float) -> float:
        if self._space is None:  # soft QCD: every trial that counts has the same weight
            return weight_sum * weight_sum
        now, most = self._space.sigmaNow(), self._space.sigmaMax()
        return now * max(now, most) * mb * mb


class ManyProcesses:
    """Accounting of any number of processes; ``trial`` is called for every trial of a hard process.

    spaces    process code -> phase space, of hard processes
    constant  process code -> cross-section [mb], of soft processes
    """

    def __init__(self, spaces: Mapping[int, PhaseSpace], constant: Mapping[int, float]) -> None:
        self._constant = constant
        maxima = {code: space.sigmaMax() for code, space in spaces.items()}
        self._total = sum(maxima.values()) + sum(constant.values())
        self._factor = {code: self._total / most for code, most in maxima.items() if most > 0.0}
        self.begin()

    def begin(self) -> None:
        """A new event."""
        self._sums = dict.fromkeys(self._factor, 0.0)
        self._squares = 0.0

    def trial(self, code: int, weight: float) -> None:
        """One trial of a hard process, with its differential weight [mb]."""
        self._sums[code] += weight
        scaled = weight * self._factor[code]
        self._squares += scaled * scaled

    def end(self, info: Any) -> Trials:
        """The event just accepted; ``info`` holds the statistics of this event alone."""
        selected = info.nSelected()
        weight_sum = sum(self._factor[code] * w for code, w in self._sums.items())
        squares = self._squares
        for code in self._constant:
            soft = info.nSelected(code)
            weight_sum += soft * self._total
            squares += soft * self._total**2
        self._agree_with_pythia(info)
        return Trials(
            info.nTried(),
            weight_sum * mb / selected,
            squares * mb * mb / selected,
            info.weight(),
        )

    def _agree_with_pythia(self, info: Any) -> None:
        code = info.code()
        pythia = info.sigmaGen(code) * info.nTried(code) * info.nSelected(code)
        ours = self._sums.get(code, self._constant.get(code, 0.0) * info.nSelected(code))
        if abs(ours - pythia) > 1e-9 * abs(pythia):
            raise InternalError(
                f"the trials of Pythia's process {code} add up to {ours} mb, Pythia has {pythia}"
            )
