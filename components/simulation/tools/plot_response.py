"""Draw the response of the shipped cards: simulated points over the closed formulas.

    python tools/plot_response.py OUT.svg

Left: relative resolution of pT of muons against momentum; middle: of the energy of photons (ECAL)
and neutrons (HCAL); right: transverse impact parameter. Points are standard deviations of 3000
simulated particles each, with their statistical error; lines are `fiducial.simulation.response`.
Needs matplotlib.
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.simulation import load_card, response, simulate

mpl.use("agg")
import matplotlib.pyplot as plt

N = 3000
MASS = {13: 0.1056583755, 22: 0.0, 2112: 0.93956542}
# Okabe-Ito: distinguishable with colour vision deficiencies
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def gun(pdg: int, p: float, theta: float) -> EventBatch:
    """N events of one particle each, all azimuths."""
    phi = np.random.default_rng(1).uniform(-np.pi, np.pi, N)
    one = np.ones(N, dtype=int)
    particles = MCParticleCollection.build(
        counts=one,
        PDG=pdg,
        generatorStatus=1,
        charge=-1.0 if pdg == 13 else 0.0,
        mass=MASS[pdg],
        momentum=(
            p * np.sin(theta) * np.cos(phi),
            p * np.sin(theta) * np.sin(phi),
            np.full(N, p * np.cos(theta)),
        ),
    )
    header = EventHeaderCollection.build(counts=one, eventNumber=np.arange(N, dtype=np.uint64))
    return EventBatch({"EventHeader": header, "MCParticles": particles})


def spread(values: NDArray[np.float32]) -> tuple[float, float]:
    """Standard deviation and its statistical error."""
    sigma = float(np.std(values.astype(np.float64)))
    return sigma, sigma / np.sqrt(2 * max(len(values), 1))


def draw(path: str) -> None:
    mpl.rcParams.update({"svg.hashsalt": "fiducial", "svg.fonttype": "none", "font.size": 9})
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    momenta, grid = np.geomspace(0.7, 120, 9), np.geomspace(0.5, 150, 70)
    card = load_card("idea")
    for degrees, colour in zip((90, 40, 20), COLOURS, strict=True):
        theta = np.radians(degrees)
        pt = grid * np.sin(theta)
        label = f"{degrees}°"
        left.plot(grid, response.sigma_pt(card, grid, theta) / pt, color=colour, label=label)
        right.plot(grid, 1e3 * response.sigma_d0(card, grid, theta), color=colour, label=label)
        for p in momenta:
            found = simulate(gun(13, p, theta), card, 1)["Tracks"].trackStates
            sigma, error = spread(1 / np.abs(found.omega) * 2.99792458e-4 * 2.0)
            scale = p * np.sin(theta)
            left.errorbar(p, sigma / scale, error / scale, fmt="o", ms=3.5, color=colour)
            sigma, error = spread(1e3 * found.D0)
            right.errorbar(p, sigma, error, fmt="o", ms=3.5, color=colour)
    energies = np.geomspace(3, 120, 8)
    for name, style, fill in (("idea", "-", "full"), ("lhc", "--", "none")):
        card = load_card(name)
        for pdg, part, colour in ((22, "ecal", COLOURS[0]), (2112, "hcal", COLOURS[1])):
            least = 2.5 * response.energy_threshold(card, part, 1.2)
            fine = np.geomspace(max(2.0, least), 150, 50)
            sigma = response.sigma_energy(card, part, fine, 1.2) / fine
            middle.plot(fine, sigma, style, color=colour, label=f"{part.upper()}, {name}")
            for energy in energies[energies > least]:
                p = np.sqrt(energy**2 - MASS[pdg] ** 2)
                found = simulate(gun(pdg, p, 1.2), card, 1)["Clusters"].energy
                sigma, error = spread(found)
                middle.errorbar(
                    energy, sigma / energy, error / energy, fmt="o", ms=3.5, color=colour,
                    fillstyle=fill,
                )  # fmt: skip
    left.set(xlabel="momentum [GeV]", ylabel="σ(pT) / pT", title="muons, idea")
    middle.set(xlabel="energy [GeV]", ylabel="σ(E) / E", title="photons and neutrons at 69°")
    right.set(xlabel="momentum [GeV]", ylabel="σ(d0) [µm]", title="muons, idea")
    for axes, title in ((left, "polar angle"), (middle, None), (right, "polar angle")):
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3, lw=0.5)
        if title is not None:
            axes.legend(title=title, frameon=False, fontsize=8)
    middle.set_ylim(1.5e-3, 0.5)
    middle.legend(frameon=False, fontsize=8, ncols=2, loc="lower left")
    figure.savefig(path, metadata={"Date": None} if path.endswith("svg") else None, dpi=110)


if __name__ == "__main__":
    draw(sys.argv[1])
