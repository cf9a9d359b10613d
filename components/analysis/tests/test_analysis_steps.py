"""The steps on events written by hand, whose answers can be worked out on paper."""

import importlib.metadata

import numpy as np
import pytest

from fiducial.analysis.boson_angle import BosonAngle
from fiducial.analysis.cross_section import CrossSection
from fiducial.analysis.dimuon_filter import RequireDimuon
from fiducial.analysis.dimuon_recoil import DimuonRecoil
from fiducial.analysis.gun_response import GunResponse
from fiducial.analysis.multiplicity import charged_multiplicity
from fiducial.analysis.z_pole import FinalState, ZPoleObservables
from fiducial.core.errors import InputError
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    GeneratorTrialsCollection,
    MCParticleCollection,
    RecoMCParticleLinkCollection,
    ReconstructedParticleCollection,
)
from fiducial.edm import steps as edm_steps

MUON_MASS = 0.1056583755


def truth(events):
    """MCParticles from a list of events of (pdg, status, charge, (px, py, pz), [parents])."""
    flat = [particle for event in events for particle in event]
    momentum = np.array([p[3] for p in flat], dtype=np.float64).reshape(-1, 3)
    masses = [MUON_MASS if abs(p[0]) == 13 else 0.0 for p in flat]
    return MCParticleCollection.build(
        counts=np.array([len(event) for event in events]),
        PDG=np.array([p[0] for p in flat]),
        generatorStatus=np.array([p[1] for p in flat]),
        charge=np.array([p[2] for p in flat], dtype=np.float32),
        mass=np.array(masses),
        momentum=tuple(momentum.T),
        parents=(np.array([len(p[4]) for p in flat]), np.array([q for p in flat for q in p[4]],
                 dtype=np.int32), "MCParticles"),
    )  # fmt: skip


def reco(events):
    """ReconstructedParticles from a list of events of (pdg, charge, (px, py, pz), mass)."""
    flat = [particle for event in events for particle in event]
    p = np.array([q[2] for q in flat], dtype=np.float32).reshape(-1, 3)
    mass = np.array([q[3] for q in flat], dtype=np.float32)
    return ReconstructedParticleCollection.build(
        counts=np.array([len(event) for event in events]),
        PDG=np.array([q[0] for q in flat], dtype=np.int32),
        charge=np.array([q[1] for q in flat], dtype=np.float32),
        mass=mass,
        energy=np.sqrt((p.astype(np.float64) ** 2).sum(axis=1) + mass**2),
        momentum=tuple(p.T),
    )


def links(events):
    """RecoMCLinks from a list of events of (reco index, truth index, weight)."""
    flat = [link for event in events for link in event]
    return RecoMCParticleLinkCollection.build(
        counts=np.array([len(event) for event in events]),
        weight=np.array([q[2] for q in flat], dtype=np.float32),
        from_=(np.array([q[0] for q in flat], dtype=np.int32), "ReconstructedParticles"),
        to=(np.array([q[1] for q in flat], dtype=np.int32), "MCParticles"),
    )


def batch(mc=None, rec=None, link=None):
    parts = {"MCParticles": mc, "ReconstructedParticles": rec, "RecoMCLinks": link}
    return EventBatch({name: part for name, part in parts.items() if part is not None})


def test_every_entry_point_of_this_distribution_loads_a_step():
    points = importlib.metadata.distribution("fiducial-analysis").entry_points
    names = {point.name for point in points if point.group == "fiducial.steps"}
    assert {"dimuon_recoil", "z_pole_observables", "gun_response", "cross_section"} <= names
    for point in points:
        assert issubclass(point.load(), edm_steps.Step)
        assert point.load().summary


# Charged multiplicity

K0S_CHAIN = [
    (11, 4, -1, (0, 0, 45), []), (-11, 4, 1, (0, 0, -45), []),
    (310, 2, 0, (0, 0, 5), [0, 1]),
    (211, 1, 1, (0, 0, 3), [2]), (-211, 2, -1, (0, 0, 2), [2]),
    (13, 1, -1, (0, 0, 1), [4]), (-14, 1, 0, (0, 0, 1), [4]),
    (130, 2, 0, (0, 0, 9), [0, 1]), (211, 1, 1, (0, 0, 4), [7]), (-11, 1, 1, (0, 0, 4), [7]),
    (3122, 2, 0, (0, 0, 9), [0, 1]), (2212, 1, 1, (0, 0, 8), [10]), (-211, 1, -1, (0, 0, 1), [10]),
    (22, 1, 0, (0, 0, 1), [0, 1]),
]  # fmt: skip


def test_products_of_k0s_and_lambda_count_and_those_of_pions_and_k0l_do_not():
    # pi+ and pi- of the K0S, p and pi- of the Lambda; not the muon, nor what the K0L gave
    assert charged_multiplicity(truth([K0S_CHAIN, [], K0S_CHAIN[:4]])).tolist() == [4, 0, 1]


def test_undecayed_short_lived_particles_are_refused():
    with pytest.raises(InputError, match="K0S or hyperons are final"):
        charged_multiplicity(truth([[(310, 1, 0, (0, 0, 1), [])]]))


def test_leptons_that_radiated_in_the_shower_count_once():
    event = [
        (11, 4, -1, (0, 0, 45), []), (-11, 4, 1, (0, 0, -45), []), (23, 22, 0, (0, 0, 0), [0, 1]),
        (13, 23, -1, (0, 0, 45), [2]), (-13, 1, 1, (0, 0, -45), [2]),
        (13, 1, -1, (0, 0, 44), [3]), (22, 1, 0, (0, 0, 1), [3]),
    ]  # fmt: skip
    assert charged_multiplicity(truth([event])).tolist() == [2]


# Recoil


def zh_event(sqrt_s=240.0, mh=125.0, mz=91.0):
    """mu+ mu- of a Z at the momentum that two-body kinematics gives, along x."""
    e_z = (sqrt_s**2 + mz**2 - mh**2) / (2 * sqrt_s)
    p_z = np.sqrt(e_z**2 - mz**2)
    k = np.sqrt(mz**2 / 4 - MUON_MASS**2)
    boost = p_z / mz
    along = boost * mz / 2
    plus, minus = (along, k, 0.0), (along, -k, 0.0)
    return plus, minus


def test_recoil_mass_is_the_higgs_mass_by_two_body_kinematics():
    plus, minus = zh_event()
    rec = reco([[(-13, 1, plus, MUON_MASS), (13, -1, minus, MUON_MASS), (22, 0, (0, 9, 0), 0.0)]])
    mc = truth([[(-13, 1, 1, plus, []), (13, 1, -1, minus, [])]])
    table = DimuonRecoil(sqrt_s=240.0).consume(batch(mc, rec, links([[(0, 0, 1.0), (1, 1, 1.0)]])))
    events, muons = table["events"], table["muons"]
    assert events["recoil_mass"][0] == pytest.approx(125.0, abs=1e-4)
    assert events["dimuon_mass"][0] == pytest.approx(91.0, abs=1e-4)
    assert events["selected"].tolist() == [True]
    assert events["n_charged"].tolist() == [2]
    assert events["n_charged_reco"].tolist() == [2]
    assert events["visible_energy"][0] == pytest.approx(rec.energy.sum(), rel=1e-6)
    assert np.abs(muons["log_pt_ratio"]).max() < 1e-6
    assert np.abs(muons["delta_phi"]).max() < 1e-6


def test_pair_nearest_the_z_mass_wins_over_the_harder_pair():
    rec = reco([[(13, -1, (0, 0, 60.0), MUON_MASS), (-13, 1, (0, 0, -60.0), MUON_MASS),
                 (-13, 1, (0, 45.6 * 45.6 / 60.0 * 0.7, -10.0), MUON_MASS)]])  # fmt: skip
    table = DimuonRecoil(sqrt_s=240.0).consume(batch(truth([[]]), rec, links([[]])))["events"]
    near = [120.0, table["dimuon_mass"][0]]
    assert abs(near[1] - 91.188) < abs(near[0] - 91.188)
    assert table["n_muons"].tolist() == [3]


def test_same_sign_muons_and_soft_muons_make_no_pair():
    rec = reco([
        [(13, -1, (45.0, 0, 0), MUON_MASS), (13, -1, (-45.0, 0, 0), MUON_MASS)],
        [(13, -1, (45.0, 0, 0), MUON_MASS), (-13, 1, (-5.0, 0, 0), MUON_MASS)],
        [],
    ])  # fmt: skip
    table = DimuonRecoil(sqrt_s=240.0).consume(batch(truth([[], [], []]), rec, links([[], [], []])))
    assert table["events"]["has_pair"].tolist() == [False] * 3
    assert table["events"]["recoil_mass"].tolist() == [0.0] * 3
    assert len(table["muons"]["pt"]) == 0
    kept = RequireDimuon().select(batch(rec=rec))
    assert kept.dtype == bool
    assert kept.tolist() == [False] * 3


def test_momentum_residual_compares_with_the_linked_particle():
    mc = truth([[(13, 1, -1, (30.0, 40.0, 0.0), []), (13, 1, -1, (10.0, 0.0, 0.0), [])]])
    rec = reco([[(13, -1, (30.3, 40.4, 0.0), MUON_MASS)]])
    muons = DimuonRecoil(sqrt_s=240).consume(batch(mc, rec, links([[(0, 0, 1.0)]])))["muons"]
    assert muons["log_pt_ratio"][0] == pytest.approx(np.log(1.01), abs=1e-6)
    assert muons["pt"].tolist() == [50.0]


# Z pole


def z_event(pdg):
    charge = -1 if pdg in (11, 13, 15) else 0
    p = np.array([0.0, 27.36, 36.48])  # cos theta = 0.8, |p| = 45.6
    return [
        (11, 4, -1, (0, 0, 45.6), []), (-11, 4, 1, (0, 0, -45.6), []),
        (23, 22, 0, (0, 0, 0), [0, 1]),
        (-pdg, 1, -charge, tuple(-p), [2]), (pdg, 1, charge, tuple(p), [2]),
    ]  # fmt: skip


def test_final_states_are_told_apart_and_the_angle_is_the_fermions():
    kinds = [2, 5, 11, 13, 15, 14]
    mc = truth([z_event(kind) for kind in kinds] + [[]])
    events = ZPoleObservables().consume(batch(mc, reco([[]] * 7)))["events"]
    expected = [FinalState.HADRONS, FinalState.HADRONS, FinalState.ELECTRONS, FinalState.MUONS,
                FinalState.TAUS, FinalState.NEUTRINOS, FinalState.UNKNOWN]  # fmt: skip
    assert events["final_state"].tolist() == [int(kind) for kind in expected]
    assert events["cos_theta"][:6] == pytest.approx(0.8)
    assert events["thrust"][:6] == pytest.approx(1.0)


def test_boson_angle_takes_the_first_boson_of_each_event():
    event = [
        (23, 22, 0, (3.0, 0, 4.0), []),
        (23, 44, 0, (1.0, 0, 0), [0]),
        (25, 22, 0, (0, 0, 1), []),
    ]
    table = BosonAngle(pdg=23).consume(batch(truth([[event[2]], event, []])))["bosons"]
    assert table["found"].tolist() == [False, True, False]
    assert table["cos_theta"] == pytest.approx([0, 0.8, 0])


# Gun


def test_gun_response_takes_the_track_of_a_charged_particle_not_its_cluster():
    mc = truth(
        [
            [(211, 1, 1, (0, 10.0, 0), [])],
            [(22, 1, 0, (3.0, 0, 4.0), [])],
            [(13, 1, -1, (1.0, 0, 0), [])],
        ]
    )
    rec = reco([
        [(22, 0, (0, 3.0, 0), 0.0), (211, 1, (0, 10.1, 0), 0.1396)],
        [(22, 0, (3.3, 0.0, 4.4), 0.0)],
        [],
    ])  # fmt: skip
    link = links([[(0, 0, 1.0), (1, 0, 0.5)], [(0, 0, 1.0)], []])
    rows = GunResponse().consume(batch(mc, rec, link))["particles"]
    assert rows["found"].tolist() == [True, True, False]
    assert rows["reco_pdg"].tolist() == [211, 22, 0]
    assert rows["same_pdg"].tolist() == [True, True, False]
    assert rows["log_pt_ratio"][0] == pytest.approx(np.log(1.01), abs=1e-6)
    assert rows["log_energy_ratio"][1] == pytest.approx(np.log(1.1), abs=1e-6)
    assert all(np.isfinite(column).all() for column in rows.values())


def test_charged_particle_seen_only_as_a_cluster_is_not_found():
    mc = truth([[(211, 1, 1, (0, 10.0, 0), [])]])
    rec = reco([[(130, 0, (0, 9.0, 0), 0.0)]])
    rows = GunResponse().consume(batch(mc, rec, links([[(0, 0, 1.0)]])))["particles"]
    assert rows["found"].tolist() == [False]


# Cross-section, splitting


def test_cross_section_copies_the_trials():
    trials = GeneratorTrialsCollection.build(
        counts=np.array([1, 1]), trials=np.array([2, 3]),
        weightSum=np.array([0.4, 0.6]), weightSquaredSum=np.array([0.1, 0.2]),
    )  # fmt: skip
    table = CrossSection().consume(EventBatch({"GeneratorTrials": trials}))["trials"]
    assert table["weight_sum"].sum() / table["trials"].sum() == pytest.approx(0.2)


def test_tables_do_not_depend_on_how_the_events_are_split():
    mc = truth([z_event(13), K0S_CHAIN, [], z_event(2)])
    plus, minus = zh_event()
    pair = [(-13, 1, plus, MUON_MASS), (13, -1, minus, MUON_MASS)]
    whole = batch(mc, reco([pair, [], [], pair]), links([[(0, 3, 1.0), (1, 4, 1.0)], [], [], []]))
    header = EventHeaderCollection.build(counts=np.ones(4, int), eventNumber=np.arange(4))
    whole = whole.with_collections({"EventHeader": header})
    for step in (DimuonRecoil(sqrt_s=240), ZPoleObservables(), GunResponse(), BosonAngle()):
        together = edm_steps.consume(step, whole)
        parts = [edm_steps.consume(step, whole.select_events(slice(a, b)))
                 for a, b in ((0, 1), (1, 1), (1, 3), (3, 4))]  # fmt: skip
        for name, table in together.items():
            for column, values in table.items():
                pieces = [part[name][column] for part in parts]
                assert {piece.dtype for piece in pieces} == {values.dtype}, (name, column)
                assert np.concatenate(pieces).tobytes() == values.tobytes(), (name, column)
