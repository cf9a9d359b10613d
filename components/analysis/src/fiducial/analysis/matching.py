"""Which reconstructed particle belongs to which simulated one, from the links."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.edm import EventBatch

TRUTH, RECO, LINKS = "MCParticles", "ReconstructedParticles", "RecoMCLinks"


def link_rows(batch: EventBatch) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Rows of the reconstructed and of the simulated particle of each link, and its weight."""
    links = batch[LINKS]
    reco = links.from_.rows(batch[RECO].offsets)
    truth = links.to.rows(batch[TRUTH].offsets)
    known = (reco >= 0) & (truth >= 0)
    return reco[known], truth[known], links.weight[known]


def best_reconstructed(batch: EventBatch) -> NDArray[np.int64]:
    """Row of the reconstructed particle of each simulated one, (n,), -1 where there is none.

    A charged particle's is a charged one (its track) if it is linked to any; among several, the
    link of greatest weight counts, and among equal ones the first.
    """
    reco, truth, weight = link_rows(batch)
    charged_truth = np.asarray(batch[TRUTH].charge)[truth] != 0
    charged_reco = np.asarray(batch[RECO].charge)[reco] != 0
    fits = charged_truth == charged_reco
    order = np.lexsort((np.arange(len(reco))[::-1], weight, fits))
    best = np.full(len(batch[TRUTH].PDG), -1, np.int64)
    best[truth[order]] = reco[order]  # the last assignment, of greatest (fits, weight), stays
    return best


def linked_truth(batch: EventBatch) -> NDArray[np.int64]:
    """Row of the simulated particle of each reconstructed one, (n,), -1 where there is none."""
    reco, truth, weight = link_rows(batch)
    order = np.lexsort((np.arange(len(reco))[::-1], weight))
    best = np.full(len(batch[RECO].PDG), -1, np.int64)
    best[reco[order]] = truth[order]
    return best


def sum_by_event(offsets: NDArray[np.int64], values: Any) -> NDArray[np.float64]:
    """Sum of the values (n,) of each event's objects, (n_events,), added in order."""
    events = len(offsets) - 1
    event = np.repeat(np.arange(events), np.diff(offsets))
    weights = np.asarray(values, dtype=np.float64)
    return np.bincount(event, weights, events).astype(np.float64)


def count_by_event(offsets: NDArray[np.int64], mask: Any) -> NDArray[np.int64]:
    """How many objects of each event have ``mask`` (n,) set, (n_events,)."""
    before = np.concatenate([[0], np.cumsum(np.asarray(mask, dtype=np.int64))])
    return np.diff(before[offsets])
