"""A card as two flat columns that kernels read: `values` (float64) and `where` (int64).

`where[Where.X]` is the position in `values` of part X. Layouts:

scalars      one value each, at the positions of `Scalar`
fractions    ecal, hcal of each `Species`
resolution   n_regions, then per region: |eta| end, a, 2 power_a, b, 2 power_b
probability  variable (0 p, 1 pt), n_regions, then per region: |eta| end, position of its bins
             relative to the part; bins: n_edges, edges, values
calorimeter  min_energy, min_significance, dithered, n_regions, n_cells, then per region the
             columns of `Cell`
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fiducial.simulation.calorimeter_model import Calorimeter
from fiducial.simulation.card import Card
from fiducial.simulation.probability_map import ProbabilityMap
from fiducial.simulation.regions import eta_of_theta
from fiducial.simulation.species import Species
from fiducial.simulation.tracker_model import ResolutionRegion

__all__ = ["CELL_WIDTH", "Cell", "Scalar", "Tables", "Where", "compile_card"]


class Scalar(IntEnum):
    """Positions of the card's single numbers."""

    FIELD = 0  # [T]
    RADIUS = 1  # [mm]
    HALF_LENGTH = 2  # [mm]
    MIN_PT = 3  # [GeV]
    MAX_ABS_ETA = 4
    MAX_PRODUCTION_RADIUS = 5  # [mm]
    MAX_PRODUCTION_Z = 6  # [mm]
    SPOT_X = 7  # [mm]
    SPOT_Y = 8
    SPOT_Z = 9
    SIZE = 10


class Where(IntEnum):
    """Positions in `where`. Parts by species come in its order, D0 … THETA in that of `Track`."""

    FRACTIONS = 0
    PT = 1  # electron, muon, charged hadron
    D0 = 4
    Z0 = 5
    PHI = 6
    THETA = 7
    EFFICIENCY = 8  # electron, muon, charged hadron
    AS_ELECTRON = 11  # electron, muon, charged hadron
    AS_MUON = 14  # electron, muon, charged hadron
    AS_PHOTON = 17  # photon, neutral hadron
    ECAL = 19
    HCAL = 20
    SIZE = 21


class Cell(IntEnum):
    """Columns of a region of a calorimeter."""

    ETA_LOW = 0
    ETA_HIGH = 1
    LOW = 2  # edge nearest the barrel in the segmented variable: |eta|, or pi/2 - theta
    STEP = 3  # width of a cell in that variable
    IN_THETA = 4  # 0: uniform in |eta|, 1: uniform in theta
    N_POLAR = 5
    N_PHI = 6
    FIRST = 7  # number of this region's first cell
    STOCHASTIC = 8
    CONSTANT = 9
    NOISE = 10
    SHAPE_CONSTANT = 11
    SHAPE_QUADRATIC = 12
    SHAPE_CENTRE = 13
    SIZE = 14


CELL_WIDTH = int(Cell.SIZE)
CALORIMETER_HEAD = 5  # min_energy, min_significance, dithered, n_regions, n_cells


@dataclass(frozen=True)
class Tables:
    """values (n,) float64 and where (Where.SIZE,) int64 of a card."""

    values: NDArray[np.float64]
    where: NDArray[np.int64]


def _resolution(tiling: tuple[ResolutionRegion, ...]) -> list[float]:
    flat = [float(len(tiling))]
    for region in tiling:
        end = region.eta_range[1]
        flat += [end, region.a, 2 * region.power_a, region.b, 2 * region.power_b]
    return flat


def _probability(chart: ProbabilityMap) -> list[float]:
    head = [0.0 if chart.variable == "p" else 1.0, float(len(chart.regions))]
    bins: list[float] = []
    start = len(head) + 2 * len(chart.regions)
    for region in chart.regions:
        head += [region.eta_range[1], float(start + len(bins))]
        bins += [float(len(region.edges)), *region.edges, *region.values]
    return head + bins


def _calorimeter(calorimeter: Calorimeter) -> list[float]:
    rows: list[float] = []
    first = 0
    for region in calorimeter.regions:
        low, high = region.eta_range
        cells = region.cells
        in_theta = region.theta_degrees is not None
        if in_theta:
            assert region.theta_degrees is not None
            theta_low, theta_high = (math.radians(edge) for edge in region.theta_degrees)
            start, step = 0.5 * math.pi - theta_high, (theta_high - theta_low) / cells.polar
            assert abs(eta_of_theta(theta_low) - high) < 1e-12
        else:
            start, step = low, (high - low) / cells.polar
        shape = region.eta_shape
        rows += [low, high, start, step, float(in_theta), cells.polar, cells.phi, first]
        rows += [region.stochastic, region.constant, region.noise]
        rows += [shape.constant, shape.quadratic, shape.centre]
        first += 2 * cells.polar * cells.phi
    dithered = float(calorimeter.position == "dithered")
    head = [calorimeter.min_energy, calorimeter.min_significance, dithered]
    return [*head, float(len(calorimeter.regions)), float(first), *rows]


@lru_cache(maxsize=16)
def compile_card(card: Card) -> Tables:
    """The flat columns of a card. Pure: equal cards give equal columns."""
    tracker, identity = card.tracker, card.identification
    values: list[float] = [
        tracker.magnetic_field,
        tracker.radius,
        tracker.half_length,
        tracker.min_pt,
        tracker.max_abs_eta,
        tracker.max_production_radius,
        tracker.max_production_z,
        *card.beam_spot,
    ]
    where = np.zeros(int(Where.SIZE), dtype=np.int64)

    def place(part: int, flat: list[float]) -> None:
        where[part] = len(values)
        values.extend(flat)

    fractions = [card.energy_fractions.of(species) for species in Species]
    place(Where.FRACTIONS, [share for f in fractions for share in (f.ecal, f.hcal)])
    pt, tilings = tracker.resolution.pt, tracker.resolution
    for index, name in enumerate(("electron", "muon", "charged_hadron")):
        place(Where.PT + index, _resolution(getattr(pt, name)))
        place(Where.EFFICIENCY + index, _probability(getattr(tracker.efficiency, name)))
        place(Where.AS_ELECTRON + index, _probability(getattr(identity, name).electron))
        place(Where.AS_MUON + index, _probability(getattr(identity, name).muon))
    place(Where.D0, _resolution(tilings.d0))
    place(Where.Z0, _resolution(tilings.z0))
    place(Where.PHI, _resolution(tilings.phi))
    place(Where.THETA, _resolution(tilings.theta))
    place(Where.AS_PHOTON, _probability(identity.photon.photon))
    place(Where.AS_PHOTON + 1, _probability(identity.neutral_hadron.photon))
    place(Where.ECAL, _calorimeter(card.ecal))
    place(Where.HCAL, _calorimeter(card.hcal))
    return Tables(np.asarray(values, dtype=np.float64), where)
