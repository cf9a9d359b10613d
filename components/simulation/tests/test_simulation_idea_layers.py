"""The figures of the card `idea` are those of the published layers."""

import importlib.util
import math
from pathlib import Path

import pytest

from fiducial.simulation import load_card, response

TOOL = Path(__file__).parents[1] / "tools" / "fit_idea_tracker.py"


@pytest.fixture(scope="module")
def layers():
    spec = importlib.util.spec_from_file_location("fit_idea_tracker", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("degrees", [89.0, 60.0, 40.0, 30.0, 20.0, 12.0])
@pytest.mark.parametrize("p", [1.0, 5.0, 45.0, 150.0])
def test_the_card_follows_the_covariance_of_the_layers(layers, degrees: float, p: float) -> None:
    theta = math.radians(degrees)
    expected = layers.resolutions(p, theta)
    card = load_card("idea")
    pt = float(response.sigma_pt(card, p, theta)) / (p * math.sin(theta))
    assert pt == pytest.approx(expected["pt"], rel=0.45)
    for name in ("d0", "z0", "phi", "theta"):
        found = float(getattr(response, f"sigma_{name}")(card, p, theta))
        assert found == pytest.approx(expected[name], rel=0.26), name


def test_a_muon_of_the_zh_recoil_is_measured_to_a_permille_and_a_half(layers) -> None:
    # FCC-ee CDR: about 1.5e-3 at 45 GeV in the barrel
    assert layers.resolutions(45.0, math.pi / 2)["pt"] == pytest.approx(1.5e-3, rel=0.1)
    assert float(response.sigma_pt(load_card("idea"), 45.0, 1.5)) / 45 == pytest.approx(
        1.5e-3, rel=0.1
    )
