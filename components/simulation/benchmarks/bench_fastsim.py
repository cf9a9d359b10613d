"""The fast simulation on one core, against the same response written in vectorised numpy.

Input: the particle records of Pythia 8 (final state and history), e+e- -> Z -> hadrons with the
card `idea` and pp -> ttbar at 13 TeV with the card `lhc`. Ours is the whole step: tracks,
towers, particle flow, and the output collections with covariances and links. The rival does the
physics alone (no covariances, links or collections), array by array, as analysis code would:
smeared tracks, propagation, towers by sorting, energy subtraction. A particle is one of the
final state.
"""

from __future__ import annotations

import numpy as np
import pythia8mc
from numpy.typing import NDArray

from fiducial.core.bench import Record, measure
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.simulation import Card, load_card, simulate
from fiducial.simulation.calorimeter_model import Calorimeter
from fiducial.simulation.helix import CURVATURE
from fiducial.simulation.probability_map import ProbabilityMap
from fiducial.simulation.tracker_model import ResolutionRegion

Floats = NDArray[np.float64]

Z_HADRONS = """Beams:idA = 11 | Beams:idB = -11 | Beams:eCM = 91.188 | 23:onMode = off
WeakSingleBoson:ffbar2gmZ = on | 23:onIfAny = 1 2 3 4 5"""
TOP_PAIRS = "Beams:eCM = 13000 | Top:gg2ttbar = on | Top:qqbar2ttbar = on"


def position(particle: pythia8mc.Particle) -> tuple[float, float, float]:
    return particle.xProd(), particle.yProd(), particle.zProd()


def generate(settings: str, events: int) -> EventBatch:
    """Events of Pythia 8 as a batch."""
    pythia = pythia8mc.Pythia("", False)
    for line in (*settings.replace("\n", "|").split("|"), "Print:quiet = on"):
        assert pythia.readString(line.strip()), line
    assert pythia.init()
    rows, counts = [], []
    while len(counts) < events:
        if not pythia.next():
            continue
        record = [pythia.event[i] for i in range(1, pythia.event.size())]
        counts.append(len(record))
        rows += [
            (q.id(), q.isFinal(), q.charge(), q.m(), *position(q), q.px(), q.py(), q.pz())
            for q in record
        ]
    pdg, final, charge, mass, x, y, z, px, py, pz = (
        np.ascontiguousarray(column) for column in np.array(rows, dtype=np.float64).T
    )
    particles = MCParticleCollection.build(
        counts=np.array(counts),
        PDG=pdg.astype(np.int32),
        generatorStatus=np.where(final == 1, 1, 2).astype(np.int32),
        charge=charge.astype(np.float32),
        mass=mass,
        vertex=(x, y, z),
        momentum=(px, py, pz),
    )
    numbers = np.arange(events, dtype=np.uint64)
    header = EventHeaderCollection.build(counts=np.ones(events, dtype=int), eventNumber=numbers)
    return EventBatch({"EventHeader": header, "MCParticles": particles})


def resolution(
    regions: tuple[ResolutionRegion, ...], eta: Floats, sin: Floats, x: Floats
) -> Floats:
    ends = [region.eta_range[1] for region in regions]
    k = np.minimum(np.searchsorted(ends, eta, side="right"), len(regions) - 1)
    a, b, m, n = (
        np.array([getattr(r, name) for r in regions])[k]
        for name in ("a", "b", "power_a", "power_b")
    )
    return np.hypot(a * sin**-m, b * x * sin**-n)


def probability(chart: ProbabilityMap, eta: Floats, p: Floats, pt: Floats) -> Floats:
    x = p if chart.variable == "p" else pt
    chance = np.zeros(len(eta))
    for region in reversed(chart.regions):
        value = np.array(region.values)[np.searchsorted(region.edges, x, side="right")]
        chance = np.where(eta < region.eta_range[1], value, chance)
    return chance


def log_normal(rng: np.random.Generator, mean: Floats, relative: Floats) -> Floats:
    variance = np.log1p(relative**2)
    return mean * np.exp(np.sqrt(variance) * rng.standard_normal(len(mean)) - 0.5 * variance)


def at_face(x, y, z, pt, phi, cot, qb, radius, half):
    """Where straight lines and helices meet the cylinder; NaN for what never does."""
    sin, cos = np.sin(phi), np.cos(phi)
    along = x * cos + y * sin
    straight = -along + np.sqrt(along**2 + radius**2 - x**2 - y**2)
    turn = np.sign(qb)
    r = np.where(qb != 0, pt / (CURVATURE * np.abs(np.where(qb == 0, 1, qb))), 1.0)
    xc, yc = x + turn * r * sin, y - turn * r * cos
    distance = np.hypot(xc, yc)
    half_angle = np.sqrt(np.clip((radius**2 - (distance - r) ** 2) / (4 * distance * r), 0, 1))
    crossing = np.pi - 2 * np.arcsin(half_angle)
    away = np.mod(np.arctan2(y - yc, x - xc) - np.arctan2(yc, xc), 2 * np.pi)
    angle = np.where(turn > 0, away - crossing, 2 * np.pi - crossing - away)
    path = np.where(qb == 0, straight, np.where(distance + r > radius, angle * r, np.inf))
    path = np.minimum(path, np.where(cot != 0, (np.sign(cot) * half - z) / cot, np.inf))
    end = phi - turn * path / r
    hx = np.where(qb == 0, x + path * cos, xc - turn * r * np.sin(end))
    hy = np.where(qb == 0, y + path * sin, yc + turn * r * np.cos(end))
    return hx, hy, z + path * cot


def towers(rng, calorimeter: Calorimeter, event, eta, phi, deposit, tracked, tracked_variance):
    """Energies and events of the neutral objects of one calorimeter."""
    cell, columns = np.full(len(eta), -1), {}
    first = 0
    for region in calorimeter.regions:
        low, high = region.eta_range
        n, m = region.cells.polar, region.cells.phi
        inside = (np.abs(eta) >= low) & (np.abs(eta) < high)
        i = np.minimum((np.abs(eta) - low) / (high - low) * n, n - 1).astype(np.int64)
        j = np.minimum(np.mod(phi / (2 * np.pi), 1) * m, m - 1).astype(np.int64)
        cell = np.where(inside, first + ((eta < 0) * n + i) * m + j, cell)
        columns[first] = (region, low, high, n, m)
        first += 2 * n * m
    keep = (cell >= 0) & (deposit > 0)
    key, where = np.unique(event[keep] * first + cell[keep], return_inverse=True)
    total, tracks, variance = (
        np.bincount(where, weights=a[keep]) for a in (deposit, tracked, tracked_variance)
    )
    hit = key % first
    centre, sigmas = np.zeros(len(key)), []
    starts = list(columns)
    index = np.searchsorted(starts, hit, side="right") - 1
    for k, (region, low, high, n, m) in enumerate(columns.values()):
        rows = (hit - starts[k]) // m % n
        centre = np.where(index == k, low + (rows + 0.5) * (high - low) / n, centre)
        sigmas.append((region.stochastic, region.constant, region.noise, region.eta_shape))

    def sigma(energy):
        result = np.zeros(len(key))
        for k, (s, c, noise, shape) in enumerate(sigmas):
            factor = shape.constant + shape.quadratic * (centre - shape.centre) ** 2
            value = factor * np.sqrt(s * s * energy + (c * energy) ** 2 + noise**2)
            result = np.where(index == k, value, result)
        return result

    seen = log_normal(rng, total, sigma(total) / total)
    error = sigma(seen)
    excess = seen - tracks
    least, significance = calorimeter.min_energy, calorimeter.min_significance
    good = (seen >= least) & (seen >= significance * error) & (excess >= least)
    good &= (excess >= significance * np.sqrt(error**2 + variance)) & (excess > 0)
    return key[good] // first, excess[good]


@np.errstate(divide="ignore", invalid="ignore")  # particles along the axis, at the axis
def numpy_response(batch: EventBatch, card: Card, seed: int) -> Floats:
    """Visible energy of each event [GeV]."""
    rng, truth, tracker = np.random.default_rng(seed), batch["MCParticles"], card.tracker
    rows = np.flatnonzero(truth.generatorStatus == 1)
    event = np.repeat(np.arange(batch.n_events), truth.counts)[rows]
    px, py, pz = (getattr(truth.momentum, axis)[rows] for axis in "xyz")
    x, y, z = (getattr(truth.vertex, axis)[rows] for axis in "xyz")
    q, code = truth.charge[rows].astype(np.float64), np.abs(truth.PDG[rows])
    pt = np.hypot(px, py)
    p = np.hypot(pt, pz)
    energy, phi, cot = np.hypot(p, truth.mass[rows]), np.arctan2(py, px), pz / pt
    eta, sin, theta = np.abs(np.arcsinh(cot)), pt / p, np.arctan2(pt, pz)
    kinds = [code == 11, code == 13, q != 0, np.isin(code, (22, 111)), code == 130, code == 310,
             code == 3122, (code > 100) & (code < 1_000_000)]  # fmt: skip
    names = (
        "electron",
        "muon",
        "charged_hadron",
        "photon",
        "K0L",
        "K0S",
        "Lambda",
        "neutral_hadron",
    )
    kind = np.select(kinds, np.arange(8), 8)
    shares = [getattr(card.energy_fractions, name) for name in (*names, "invisible")]

    radius, half, qb = tracker.radius, tracker.half_length, q * tracker.magnetic_field
    hx, hy, hz = at_face(x, y, z, pt, phi, cot, qb, radius, half)
    born_inside = (np.hypot(x, y) < tracker.radius) & (np.abs(z) < tracker.half_length)
    face_eta, face_phi = np.arcsinh(hz / np.hypot(hx, hy)), np.arctan2(hy, hx)

    found, sigma_pt = np.zeros(len(rows), dtype=bool), np.ones(len(rows))
    u = rng.random(len(rows))
    for k, name in enumerate(names[:3]):
        of = kind == k
        chance = probability(getattr(tracker.efficiency, name), eta, p, pt)
        found |= of & (u < chance)
        regions = getattr(tracker.resolution.pt, name)
        sigma_pt = np.where(of, resolution(regions, eta, sin, pt), sigma_pt)
    found &= (pt >= tracker.min_pt) & (eta < tracker.max_abs_eta)
    found &= np.hypot(x, y) <= tracker.max_production_radius
    found &= np.abs(z) <= tracker.max_production_z
    i = np.flatnonzero(found)
    smeared = {}
    for name in ("d0", "z0", "phi", "theta"):
        width = resolution(getattr(tracker.resolution, name), eta[i], sin[i], 1 / p[i])
        smeared[name] = width * rng.standard_normal(len(i))
    new_p = log_normal(rng, pt[i], sigma_pt[i]) / np.sin(theta[i] + smeared["theta"])
    mass = np.array([0.000511, 0.10566, 0.13957])[kind[i]]
    tracked, variance = np.zeros(len(rows)), np.zeros(len(rows))
    tracked[i] = np.hypot(new_p, mass)
    variance[i] = (sigma_pt[i] * new_p**2 / tracked[i]) ** 2

    visible = np.bincount(event, tracked, minlength=batch.n_events)
    for part in ("ecal", "hcal"):
        share = np.array([getattr(s, part) for s in shares])[kind]
        deposit = np.where(born_inside & np.isfinite(face_eta), share * energy, 0.0)
        place = np.nan_to_num(face_eta, nan=99.0), np.nan_to_num(face_phi)
        expected = share * tracked, share**2 * variance
        at, excess = towers(rng, card.calorimeter(part), event, *place, deposit, *expected)
        visible += np.bincount(at, excess, minlength=batch.n_events)
    return visible


def visible_energy(batch: EventBatch, card: Card, seed: int) -> Floats:
    """The same from our step on one core."""
    particles = simulate(batch, card, seed, threads=1)["ReconstructedParticles"]
    event = np.repeat(np.arange(batch.n_events), particles.counts)
    return np.bincount(event, particles.energy, minlength=batch.n_events)


def benchmarks() -> list[Record]:
    records = []
    for name, settings, events, label in (
        ("idea", Z_HADRONS, 3000, "e+e- -> Z -> hadrons"),
        ("lhc", TOP_PAIRS, 100, "pp -> ttbar 13 TeV"),
    ):
        batch, card = generate(settings, events), load_card(name)
        ours, theirs = visible_energy(batch, card, 1), numpy_response(batch, card, 1)
        spread = np.hypot(ours.std(), theirs.std()) / np.sqrt(events)
        assert abs(ours.mean() - theirs.mean()) < 5 * spread, "the two do not agree"
        n = int((batch["MCParticles"].generatorStatus == 1).sum())
        records.append(
            measure(
                name=f"fastsim {name}, one core",
                input=f"{events} {label}, {n} particles",
                unit="particles/s",
                amount=n,
                ours=lambda b=batch, c=card: simulate(b, c, 1, threads=1),
                rival=lambda b=batch, c=card: numpy_response(b, c, 1),
                rival_name="the same response in vectorised numpy",
                rival_version=np.__version__,
            )
        )
    return records


if __name__ == "__main__":
    for record in benchmarks():
        print(
            f"{record['name']}: {record['input']}: {record['ours']:.3g} {record['unit']}, "
            f"{record['rival_name']} {record['rival']:.3g}, ratio {record['ratio']:.1f} "
            f"(spread {record['spread']:.0%}), peak {record['peak_rss_bytes'] / 2**20:.0f} MiB "
            f"(rival {record['rival_peak_rss_bytes'] / 2**20:.0f} MiB)"
        )
