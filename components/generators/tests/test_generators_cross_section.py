"""Cross-sections counted event by event: Pythia's own, and those of leading-order theory.

Seeds are fixed, so a test always gives the same answer; tolerances of k standard errors tell how
often another seed would fail: k = 4 once in 16,000.
"""

import numpy as np
import pytest
import pythia8mc
from scipy import stats

from fiducial.core.random import event_seed
from fiducial.generators import Pythia8, pythia_engine
from fiducial.generators.analytic import (
    ff_asymmetry,
    ff_cross_section,
    z_partial_width,
    zh_cos_theta_cdf,
    zh_cross_section,
)

EE = {"Beams:idA": 11, "Beams:idB": -11}
PARTONS = {
    "PartonLevel:ISR": False,
    "PartonLevel:FSR": False,
    "PartonLevel:MPI": False,
    "HadronLevel:all": False,
}
NO_ISR = {**EE, **PARTONS, "PDF:lepton": False}
ZH = {"HiggsSM:ffbar2HZ": True, "Beams:eCM": 240.0}
GMZ = {"WeakSingleBoson:ffbar2gmZ": True}
HARD_QCD = {"HardQCD:all": True, "PhaseSpace:pTHatMin": 20.0, "Beams:eCM": 13000.0}


def estimate(batch):
    """Cross-section and its error [pb], from the trials of the events."""
    t = batch["GeneratorTrials"]
    n = t.trials.sum()
    sigma = t.weightSum.sum() / n
    return sigma, np.sqrt(max(t.weightSquaredSum.sum() / n - sigma**2, 0.0) / n)


def pythia_estimate(step, n, seed=None):
    """Pythia's own sigmaGen and sigmaErr [pb] of n events: the same as ours, or an ordinary run."""
    pythia = pythia8mc.Pythia("", False)
    for line in (*step.settings, "Print:quiet = on"):
        assert pythia.readString(line)
    assert pythia.init()
    for event in range(n):
        if seed is not None:
            pythia.rndm.init(event_seed(seed, event))
        assert pythia.next()
    info = pythia.infoPython()
    return info.sigmaGen() * 1e9, info.sigmaErr() * 1e9, info.nTried()


@pytest.mark.parametrize("energy", [ZH, {**GMZ, "Beams:eCM": 91.188}], ids=["zh", "z_pole"])
def test_one_process_gives_pythias_cross_section_and_error_from_the_same_events(energy):
    step = Pythia8(settings={**EE, **PARTONS, **energy})
    batch = step.produce(0, 1000, 5)
    sigma, error = estimate(batch)
    same, same_error, trials = pythia_estimate(step, 1000, seed=5)
    assert batch["GeneratorTrials"].trials.sum() == trials
    assert sigma == pytest.approx(same, rel=1e-12)
    assert error == pytest.approx(same_error, rel=0.1)
    other, other_error, _ = pythia_estimate(step, 1000)
    assert abs(sigma - other) < 4 * np.hypot(error, other_error)


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "biased"])
def test_many_processes_give_pythias_cross_section_within_the_error(bias):
    settings = {**PARTONS, **HARD_QCD, "PhaseSpace:bias2Selection": bias}
    step = Pythia8(settings=settings)
    batch = step.produce(0, 1500, 5)
    sigma, error = estimate(batch)
    same, same_error, trials = pythia_estimate(step, 1500, seed=5)
    assert batch["GeneratorTrials"].trials.sum() == trials
    assert abs(sigma - same) < 0.5 * same_error  # the same events: far less than an error apart
    assert error == pytest.approx(same_error, rel=0.15)
    other, other_error, _ = pythia_estimate(step, 1500)
    assert abs(sigma - other) < 4 * np.hypot(error, other_error)
    weights = batch["EventHeader"].weight
    assert (weights == 1).all() != bias


def test_soft_processes_have_their_constant_cross_section():
    soft = {"SoftQCD:elastic": True, "SoftQCD:nonDiffractive": True, "Beams:eCM": 900.0}
    step = Pythia8(settings=soft)
    sigma, _ = estimate(step.produce(0, 40, 5))
    same, _, _ = pythia_estimate(step, 40, seed=5)
    assert sigma == pytest.approx(same, rel=1e-9)


def test_the_error_covers_the_scatter_of_cross_sections():
    """40 runs of 100 events: their scatter over the error stated is 1 within 4 sigma (0.11)."""
    batch = Pythia8(settings={**NO_ISR, **ZH}).produce(0, 4000, 8)
    parts = [estimate(batch.select_events(slice(k, k + 100))) for k in range(0, 4000, 100)]
    mean, _ = estimate(batch)
    pulls = np.array([(sigma - mean) / error for sigma, error in parts])
    assert abs(pulls.std() - 1.0) < 4 / np.sqrt(2 * 40)


def test_zh_without_radiation_is_bjorkens_process_within_two_percent():
    """Pythia's alpha at the geometric mean of the transverse masses, 0.11-0.12 TeV."""
    step = Pythia8(settings={**NO_ISR, **ZH})
    sigma, error = estimate(step.produce(0, 12000, 2))
    couplings = pythia_engine.engine(step.settings).electroweak(115.0)
    expected = float(zh_cross_section(240.0, couplings, z_width=True))
    assert error / sigma < 0.005
    assert sigma == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("energy", [240.0, 365.0])
def test_zh_on_shell_agrees_with_the_formula_within_the_statistical_error(energy):
    settings = {**NO_ISR, **ZH, "Beams:eCM": energy, "PhaseSpace:useBreitWigners": False}
    step = Pythia8(settings={**settings, "SigmaProcess:alphaEMorder": -1})
    batch = step.produce(0, 5000, 2)
    sigma, error = estimate(batch)
    couplings = pythia_engine.engine(step.settings).electroweak(91.2)
    assert abs(sigma - float(zh_cross_section(energy, couplings))) < 4 * error
    particles = batch["MCParticles"]
    z = (particles.PDG == 23) & (particles.parents.counts == 2)  # not those of H -> ZZ
    p = [particles.columns[f"momentum.{c}"][z] for c in "xyz"]
    cos_theta = p[2] / np.sqrt(sum(c * c for c in p))
    edges = np.linspace(-1, 1, 21)
    counts, _ = np.histogram(cos_theta, edges)
    assert counts.sum() == 5000
    probabilities = np.diff(zh_cos_theta_cdf(energy, edges, couplings))
    assert stats.chisquare(counts, 5000 * probabilities).pvalue > 1e-4
    if energy > 300.0:  # far above threshold the test has power: the flat law is refused
        assert stats.chisquare(counts).pvalue < 1e-4


@pytest.mark.parametrize("energy", [60.0, 91.188, 200.0])
def test_muon_pairs_have_the_cross_section_and_asymmetry_of_theory(energy):
    settings = {**NO_ISR, **GMZ, "Beams:eCM": energy, "23:onMode": "off", "23:onIfAny": 13}
    step = Pythia8(settings=settings)
    batch = step.produce(0, 3000, 2)
    sigma, _ = estimate(batch)
    couplings = pythia_engine.engine(step.settings).electroweak(energy)
    # without radiation the energy is fixed: every trial has the same weight
    assert sigma == pytest.approx(float(ff_cross_section(energy, 13, couplings)), rel=1e-5)
    particles = batch["MCParticles"]
    muon = (particles.PDG == 13) & (particles.generatorStatus == 1)
    electron = (particles.PDG == 11) & (particles.generatorStatus == 4)
    pz = particles.columns["momentum.z"]
    forward = (pz[muon] * pz[electron] > 0).mean()
    expected = float(ff_asymmetry(energy, 13, couplings))
    error = np.sqrt((1 - expected**2) / 3000)
    assert abs(2 * forward - 1 - expected) < 4 * error


def test_z_decays_have_the_branching_ratios_of_the_pdg():
    """PDG 2024: hadrons 69.91 %, one charged lepton 3.366 %, invisible 20.00 %.

    Pythia's are leading order with alpha_s / pi for quarks and an effective mixing angle; without
    electroweak corrections and higher orders of alpha_s they lie within 1 % of the PDG's (2 % for
    the small leptonic ones). To that comes the statistical error, 4 sigma.
    """
    n = 8000
    step = Pythia8(settings={**NO_ISR, **GMZ, "Beams:eCM": 91.188})
    particles = step.produce(0, n, 3)["MCParticles"]
    from_z = particles.PDG[(particles.generatorStatus == 23) | (particles.generatorStatus == 1)]
    counted = {
        "hadrons": (0.6991, 0.01, ((from_z >= 1) & (from_z <= 5)).sum()),
        "mu": (0.03366, 0.02, (from_z == 13).sum()),
        "invisible": (0.2000, 0.01, ((from_z == 12) | (from_z == 14) | (from_z == 16)).sum()),
    }
    for name, (ratio, model, count) in counted.items():
        error = np.hypot(ratio * model, 4 * np.sqrt(ratio * (1 - ratio) / n))
        assert abs(count / n - ratio) < error, name


def test_z_partial_widths_give_the_measured_ratio_of_hadrons_to_leptons():
    """R = 20.767 +- 0.025 (PDG 2024), with QCD's 1 + alpha_s / pi = 1.0376 to first order."""
    couplings = pythia_engine.engine(
        Pythia8(settings={**NO_ISR, **GMZ, "Beams:eCM": 91.188}).settings
    ).electroweak(91.188)
    hadrons = sum(z_partial_width(q, couplings) for q in range(1, 6)) * 1.0376
    assert hadrons / z_partial_width(13, couplings) == pytest.approx(20.767, rel=0.01)
