"""The fast simulation of a batch: launches the kernels and assembles the collections.

Stages: select final-state particles; respond to each (tracks, cells); build each event's towers
in the ECAL and the HCAL; count, prefix-sum, fill. Random numbers are keyed by (seed, event
number, particle or cell), so an event does not depend on the batch it is in, on threads or on
the device (a GPU's elementary functions may differ in the last bits).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.core.device import launch, to_device, to_host
from fiducial.core.errors import InputError
from fiducial.core.random import derive
from fiducial.edm import (
    ClusterCollection,
    Collection,
    EventBatch,
    RecoMCParticleLinkCollection,
    ReconstructedParticleCollection,
    TrackCollection,
)
from fiducial.simulation.card import Card
from fiducial.simulation.record import count_tracks, fill_clusters, fill_tracks
from fiducial.simulation.tables import compile_card
from fiducial.simulation.towers import TOWER_WIDTH, build_towers
from fiducial.simulation.track_response import NOT_FINITE, TRACK_WIDTH, respond

__all__ = ["CLUSTERS", "LINKS", "PARTICLES", "TRACKS", "TRUTH", "simulate"]

PARTICLES = "ReconstructedParticles"
LINKS = "RecoMCLinks"
TRACKS = "Tracks"
CLUSTERS = "Clusters"
TRUTH = "MCParticles"
_AT_IP = 1  # TrackState.location: the interaction point


class _Workspace:
    """Columns on a device, and the way there and back."""

    def __init__(self, device: str, threads: int | None) -> None:
        self.device = device
        self.threads = threads

    def put(self, array: Any) -> Any:
        return to_device(np.ascontiguousarray(array), self.device)

    def new(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """A column to be written; its content is undefined."""
        return self.put(np.empty(shape, dtype=dtype))

    def launch(self, kernel: Any, n: int, *columns: Any) -> None:
        launch(kernel, n, *columns, device=self.device, threads=self.threads)


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def simulate(
    batch: EventBatch,
    card: Card,
    seed: int,
    *,
    device: str = "cpu",
    threads: int | None = None,
) -> dict[str, Collection]:
    """Respond to the final-state particles of a batch.

    batch   with EventHeader and MCParticles
    seed    64-bit seed of the step
    Returns ReconstructedParticles, RecoMCLinks, Tracks (one TrackState at the interaction point)
    and Clusters.
    """
    work = _Workspace(device, threads)
    tables = compile_card(card)
    truth = batch[TRUTH]
    n_events = batch.n_events
    truth_offsets = np.asarray(to_host(truth.offsets), dtype=np.int64)
    rows = np.flatnonzero(to_host(truth.generatorStatus) == 1)
    firsts = np.searchsorted(rows, truth_offsets)
    event_of = np.repeat(np.arange(n_events), np.diff(firsts))
    n = len(rows)

    values, where = work.put(tables.values), work.put(tables.where)
    numbers = work.put(np.asarray(batch.event_numbers, dtype=np.int64))
    d_rows, d_firsts, d_offsets = work.put(rows), work.put(firsts), work.put(truth_offsets)
    charge = work.put(truth.charge)
    energy, species, kind = work.new(n, np.float64), work.new(n, np.int8), work.new(n, np.int8)
    track = work.new(n * TRACK_WIDTH, np.float64)
    cells = (work.new(n, np.int32), work.new(n, np.int32))
    momentum, vertex = truth.momentum, truth.vertex
    work.launch(
        respond,
        n,
        values,
        where,
        np.uint64(seed),
        d_rows,
        work.put(event_of),
        d_offsets,
        numbers,
        work.put(truth.PDG),
        charge,
        work.put(truth.mass),
        *(work.put(column) for column in (vertex.x, vertex.y, vertex.z)),
        *(work.put(column) for column in (momentum.x, momentum.y, momentum.z)),
        energy,
        species,
        kind,
        track,
        *cells,
    )
    _refuse(to_host(kind), rows, truth_offsets, batch)
    n_tracks = work.new(n_events, np.int64)
    work.launch(count_tracks, n_events, d_firsts, kind, n_tracks)
    parts = []
    for part, name in enumerate(("ecal", "hcal")):
        columns = (
            work.new(n, np.int64),
            work.new(n * TOWER_WIDTH, np.float64),
            *(work.new(n, np.int32) for _ in range(3)),
            work.new(n_events, np.int64),
        )
        linked = work.new(n_events, np.int64)
        part_seed = np.uint64(derive(seed, name))
        inputs = (numbers, d_firsts, energy, species, cells[part], kind, track)
        work.launch(
            build_towers, n_events, part, values, where, part_seed, *inputs, *columns, linked
        )
        parts.append((columns, to_host(columns[-1]), to_host(linked)))

    tracks = to_host(n_tracks)
    (_, in_ecal, ecal_links), (_, in_hcal, hcal_links) = parts
    objects = _offsets(tracks + in_ecal + in_hcal)
    links = _offsets(tracks + ecal_links + hcal_links)
    states, clusters = _offsets(tracks), _offsets(in_ecal + in_hcal)
    output = _Output(work, int(objects[-1]), int(links[-1]), int(states[-1]), int(clusters[-1]))
    d_objects = work.put(objects)
    work.launch(
        fill_tracks,
        n_events,
        values,
        d_firsts,
        d_rows,
        d_offsets,
        kind,
        track,
        charge,
        work.put(states),
        d_objects,
        work.put(links),
        *output.particles,
        *output.links,
        *output.states,
    )
    before = (tracks, tracks, np.zeros_like(tracks))
    for part, (columns, found, linked) in enumerate(parts):
        work.launch(
            fill_clusters,
            n_events,
            part,
            values,
            where,
            d_firsts,
            d_rows,
            d_offsets,
            energy,
            species,
            *columns,
            *(
                work.put(offsets[:-1] + skip)
                for offsets, skip in zip((objects, links, clusters), before, strict=True)
            ),
            *output.particles,
            *output.links,
            *output.clusters,
            d_objects,
        )
        before = (before[0] + found, before[1] + linked, before[2] + found)
    return output.collections(objects, links, states, clusters)


def _refuse(
    kind: NDArray[np.int8], rows: NDArray[np.int64], offsets: NDArray[np.int64], batch: EventBatch
) -> None:
    """Raise InputError with the first particle that cannot be simulated, and their number."""
    if len(kind) == 0 or kind.min() >= -1:
        return
    bad = np.flatnonzero(kind < -1)
    row = int(rows[bad[0]])
    event = int(np.searchsorted(offsets, row, side="right")) - 1
    code = int(to_host(batch[TRUTH].PDG)[row])
    raise InputError(
        f"particle {row - offsets[event]} of event {batch.event_numbers[event]} (PDG {code}) "
        + (
            "has a momentum, mass or vertex that is not finite"
            if kind[bad[0]] == NOT_FINITE
            else "has no charge"
        ),
        f"{len(bad)} such particles in the batch",
        "check the generator or the file the particles come from",
    )


class _Output:
    """The columns of the reconstructed objects, and the collections they make."""

    def __init__(
        self, work: _Workspace, objects: int, links: int, states: int, clusters: int
    ) -> None:
        f4, i4 = np.float32, np.int32
        self.particles = (
            work.new(objects, i4),
            *(work.new(objects, f4) for _ in range(10)),
            work.new((objects, 10), f4),
        )
        self.links = (work.new(links, i4), work.new(links, i4), work.new(links, f4))
        self.states = (*(work.new(states, f4) for _ in range(5)), work.new((states, 21), f4))
        self.clusters = (
            work.new(clusters, i4),
            *(work.new(clusters, f4) for _ in range(5)),
            work.new((clusters, 6), f4),
        )

    def collections(
        self,
        objects: NDArray[np.int64],
        links: NDArray[np.int64],
        states: NDArray[np.int64],
        clusters: NDArray[np.int64],
    ) -> dict[str, Collection]:
        pdg, energy, px, py, pz, rx, ry, rz, charge, mass, goodness, covariance = map(
            to_host, self.particles
        )
        n = len(pdg)
        charged = (charge != 0).astype(np.int64)
        place = np.arange(n) - np.repeat(objects[:-1], np.diff(objects))
        n_tracks = np.repeat(np.diff(states), np.diff(objects))
        particles = ReconstructedParticleCollection.build(
            offsets=objects,
            PDG=pdg,
            energy=energy,
            momentum=(px, py, pz),
            referencePoint=(rx, ry, rz),
            charge=charge,
            mass=mass,
            goodnessOfPID=goodness,
            covMatrix=covariance,
            tracks=(charged, place[charged == 1].astype(np.int32), TRACKS),
            clusters=(1 - charged, (place - n_tracks)[charged == 0].astype(np.int32), CLUSTERS),
        )
        link_from, link_to, weight = map(to_host, self.links)
        d0, phi, omega, z0, tan_lambda, state_covariance = map(to_host, self.states)
        one = np.ones(len(d0), dtype=np.int64)
        kind, c_energy, c_error, x, y, z, position_error = map(to_host, self.clusters)
        return {
            PARTICLES: particles,
            LINKS: RecoMCParticleLinkCollection.build(
                offsets=links,
                weight=weight,
                from_=(link_from, PARTICLES),
                to=(link_to, TRUTH),
            ),
            TRACKS: TrackCollection.build(
                offsets=states,
                trackStates=(
                    one,
                    {
                        "location": _AT_IP,
                        "D0": d0,
                        "phi": phi,
                        "omega": omega,
                        "Z0": z0,
                        "tanLambda": tan_lambda,
                        "covMatrix": state_covariance,
                    },
                ),
            ),
            CLUSTERS: ClusterCollection.build(
                offsets=clusters,
                type=kind,
                energy=c_energy,
                energyError=c_error,
                position=(x, y, z),
                positionError=position_error,
            ),
        }
