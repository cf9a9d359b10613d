# ruff: noqa: E501 (the card is as people write them)
"""Cards: the shipped ones hold, and every mistake of a bad one is told at once, with its line."""

import pytest

from fiducial.core import config
from fiducial.core.errors import InputError, Mistakes
from fiducial.simulation import Card, card_names, load_card
from fiducial.simulation.probability_map import ProbabilityMap, max_sum
from fiducial.simulation.tables import compile_card

GOOD = """\
card: toy
title: a toy
sources: [this test]
tracker:
  magnetic_field: 2.0
  radius: 2000
  half_length: 2500
  min_pt: 0.1
  max_abs_eta: 2.5
  max_production_radius: 1000
  max_production_z: 1500
  efficiency:
    charged_hadron: {variable: pt, regions: [{abs_eta: [0, 2.5], edges: [1, 10], values: [0.5, 0.9, 1]}]}
    electron: 0.9
    muon: {variable: p, regions: [{theta_degrees: [5, 45], values: [0.8]}, {theta_degrees: [45, 90], values: [1]}]}
  resolution:
    pt:
      charged_hadron: &pt [{abs_eta: [0, 1.5], a: 0.01, b: 1.0e-4}, {abs_eta: [1.5, 2.5], a: 0.02, b: 3.0e-4}]
      electron: *pt
      muon: *pt
    d0: [{abs_eta: [0, 2.5], a: 0.01, b: 0.1}]
    z0: [{abs_eta: [0, 2.5], a: 0.01, b: 0.1}]
    phi: [{abs_eta: [0, 2.5], a: 1.0e-4, b: 1.0e-3}]
    theta: [{abs_eta: [0, 2.5], a: 1.0e-4, b: 1.0e-3}]
ecal:
  min_energy: 0.2
  min_significance: 2
  regions: [{theta_degrees: [6, 90], cells: {polar: 100, phi: 300}, stochastic: 0.1, constant: 0.01, noise: 0.1}]
hcal:
  min_energy: 0.5
  min_significance: 2
  position: centre
  regions: [{abs_eta: [0, 3], cells: {polar: 30, phi: 60}, stochastic: 0.6, constant: 0.05, noise: 0}]
energy_fractions:
  electron: {ecal: 1}
  photon: {ecal: 1}
  muon: {}
  charged_hadron: {hcal: 1}
  neutral_hadron: {hcal: 1}
  K0L: {hcal: 1}
  K0S: {ecal: 0.3, hcal: 0.7}
  Lambda: {ecal: 0.3, hcal: 0.7}
identification:
  electron: {electron: 0.95, muon: 0.01}
  muon: {muon: 0.98}
  charged_hadron: {electron: 0.02, muon: 0.01}
  photon: {photon: 0.9}
  neutral_hadron: {photon: 0.1}
"""

# text in GOOD, its replacement, words that the message must hold, beside the line's number
BAD = [
    ("a: 0.01, b: 1.0e-4", "a: -0.01, b: 1.0e-4", "pt.charged_hadron", "greater than or equal to 0"),
    ("values: [0.5, 0.9, 1]", "values: [0.5, 1.9, 1]", "efficiency.charged_hadron", "1.9"),
    ("electron: 0.9\n", "electron: -0.9\n", "efficiency.electron", "greater than or equal to 0"),
    ("edges: [1, 10]", "edges: [10, 1]", "efficiency.charged_hadron", "unsorted"),
    ("edges: [1, 10]", "edges: [1]", "efficiency.charged_hadron", "1 edges bound 2 bins"),
    ("abs_eta: [1.5, 2.5], a", "abs_eta: [1.4, 2.5], a", "pt.charged_hadron", "overlap"),
    ("abs_eta: [1.5, 2.5], a", "abs_eta: [1.6, 2.5], a", "pt.charged_hadron", "uncovered between"),
    ("d0: [{abs_eta: [0, 2.5]", "d0: [{abs_eta: [0.1, 2.5]", "d0", "uncovered: nothing between"),
    ("d0: [{abs_eta: [0, 2.5]", "d0: [{abs_eta: [0, 2.4]", "tracker", "d0 is uncovered between"),
    (
        "[{theta_degrees: [5, 45], values: [0.8]}, {theta_degrees: [45, 90], values: [1]}]",
        "[{theta_degrees: [45, 90], values: [0.8]}, {theta_degrees: [5, 45], values: [1]}]",
        "efficiency.muon",
        "unsorted",
    ),
    ("theta_degrees: [6, 90]", "theta_degrees: [6, 95]", "ecal.regions[0]", "leaves (0, 90]"),
    ("theta_degrees: [6, 90]", "abs_eta: [0, .inf]", "ecal", "infinity"),
    ("photon: {ecal: 1}", "photn: {ecal: 1}", "energy_fractions.photn", "photon"),
    ("K0S: {ecal: 0.3, hcal: 0.7}", "K0S: {ecal: 0.4, hcal: 0.7}", "K0S", "more than 1"),
    ("electron: {electron: 0.95, muon: 0.01}", "electron: {electron: 0.95, muon: 0.1}", "electron", "1.05"),
    ("position: centre", "position: middle", "hcal.position", "centre"),
    ("polar: 30", "polar: 0", "cells.polar", "greater than or equal to 1"),
    ("stochastic: 0.6", "stochastic: .nan", "hcal.regions[0].stochastic", "finite"),
    ("constant: 0.05", "constant: 0.6", "hcal", "refuses every energy"),
    ("max_production_radius: 1000", "max_production_radius: 3000", "tracker", "outside"),
    ("sources: [this test]", "sources: []", "sources", "at least 1"),
    ("b: 1.0e-4}", "b: 1.0e-4, power_b: 0.3}", "power_b", "half-integer"),
]  # fmt: skip


def test_the_toy_card_is_good() -> None:
    assert config.parse(GOOD, Card).card == "toy"


@pytest.mark.parametrize("name", card_names())
def test_a_shipped_card_is_valid_and_names_its_sources(name: str) -> None:
    card = load_card(name)
    assert card.card == name
    assert len(card.sources) >= 3
    assert compile_card(card).values.size > 200


def test_the_shipped_cards_are_idea_and_lhc() -> None:
    assert card_names() == ["idea", "lhc"]


@pytest.mark.parametrize(("old", "new", "key", "word"), BAD, ids=[f"{b[2]}-{b[3]}" for b in BAD])
def test_a_mistake_is_refused_with_its_line(old: str, new: str, key: str, word: str) -> None:
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    with pytest.raises(Mistakes) as caught:
        config.parse(text, Card, "toy.yaml")
    told = [str(mistake) for mistake in caught.value.mistakes]
    assert any(key in line and word in line for line in told), told
    assert all(line.startswith("toy.yaml:") for line in told)
    assert caught.value.exit_code == 2


def test_all_mistakes_of_a_card_come_at_once() -> None:
    text = GOOD
    chosen = [BAD[0], BAD[1], BAD[8 + 4], BAD[15]]  # independent places
    for old, new, _, _ in chosen:
        text = text.replace(old, new, 1)
    with pytest.raises(Mistakes) as caught:
        config.parse(text, Card, "toy.yaml")
    told = str(caught.value)
    for _, _, key, word in chosen:
        assert key in told and word in told


def test_an_unknown_card_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean 'idea'"):
        load_card("idae")


def test_a_card_at_a_path_that_does_not_exist_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_card(tmp_path / "none.yaml")


def test_a_card_can_be_given_as_a_path(tmp_path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(GOOD)
    assert load_card(path) == config.parse(GOOD, Card)
    path.write_text(GOOD.replace("magnetic_field: 2.0", "magnetic_field: 3.0"))
    assert load_card(path).tracker.magnetic_field == 3.0


def test_sums_of_probabilities_are_found_where_bins_differ() -> None:
    one = ProbabilityMap.model_validate(
        {"regions": [{"abs_eta": [0, 2], "edges": [5], "values": [0.1, 0.9]}]}
    )
    two = ProbabilityMap.model_validate(
        {"regions": [{"abs_eta": [0, 1], "edges": [7], "values": [0.05, 0.3]},
                     {"abs_eta": [1, 2], "edges": [4], "values": [0.9, 0.02]}]}
    )  # fmt: skip
    assert max_sum(one, two) == pytest.approx(1.2)
