"""Settings of Pythia: what it would guess, clip or ignore is refused, all of it at once."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiducial.core import config
from fiducial.core.errors import InputError, MissingExtra, Mistakes
from fiducial.generators import Pythia8, pythia_engine
from fiducial.generators.pythia_database import Setting
from fiducial.generators.pythia_settings import LineChecker
from fiducial.generators.pythia_values import canonical_value

BEYOND_OWN_LIMITS = ("Main:subrun", "Vincia:nPointsCheck")  # -999 and 1000: Pythia's XML


def check(*lines):
    checker = LineChecker(pythia_engine.database())
    return [checker(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("Beams:eCM = 240", "Beams:eCM = 240.0"),
        ("beams:ecm 240. ! GeV", "Beams:eCM = 240.0"),
        ("Beams:idA = -11", "Beams:idA = -11"),
        ("HiggsSM:ffbar2HZ = yes", "HiggsSM:ffbar2HZ = on"),
        ("Charmonium:O(3PJ)[3P0(1)] = 0.05,0.04", "Charmonium:O(3PJ)[3P0(1)] = {0.05, 0.04}"),
        ("PDF:pSet = LHAPDF6:CT18", "PDF:pSet = LHAPDF6:CT18"),
        ("23:onmode = off", "23:onMode = off"),
        ("23:onIfAny = 1 2  -3", "23:onIfAny = 1 2 -3"),
        ("25:m0 125.2", "25:m0 = 125.2"),
        ("23:4:bRatio = 0.1", "23:4:bRatio = 0.1"),
        ("25:oneChannel = 1 1. 100 13 -13", "25:oneChannel = 1 1.0 100 13 -13"),
        ("4900023:new = Zv void 3 0 0 500", "4900023:new = Zv void 3 0 0 500"),
    ],
)
def test_what_pythia_understands_comes_out_in_one_spelling(line, canonical):
    assert check(line) == [canonical]
    assert check(canonical) == [canonical]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Beams:eCMM = 240", "unknown Pythia setting Beams:eCMM.*Beams:eCM"),
        ("HiggsSM:ffbar2HZ = of", "neither on nor off"),
        ("Beams:idA = 11.5", "not an integer"),
        ("Beams:idA = 12345", "no such particle.*did you mean"),
        ("Beams:idA = -22", "its own antiparticle"),
        ("Beams:eCM = 91 GeV", "not a number"),
        ("Beams:eCM = nan", "not a number"),
        ("TimeShower:alphaSvalue = 5", "out of range.*0.06 to 0.25"),
        ("TimeShower:alphaSorder = 9", "out of range.*0 to 3"),
        ("TimeShower:alphaSvalue force= 5", "steps over Pythia's limits"),
        ("BeamRemnants:heavyQuarkEnhance = {0.5, 1, 1}", "out of range.*at least 1"),
        ("Charmonium:O(3PJ)[3P0(1)] = {0.05", "half a brace"),
        ("Tune:pp", "not a setting"),
        ("! a comment", "not a setting"),
        ("99999:m0 = 1", "no particle 99999"),
        ("23:foo = 1", "unknown particle property foo"),
        ("23:m0 = x", "not a number"),
        ("25:m0 = -3", "negative"),
        ("23:onMode = offf", "neither on nor off"),
        ("23:99:bRatio = 0.1", "no decay channel 99.*11"),
        ("23:onIfAny = 13 99999", "no such particle"),
        ("23:onIfAny = muon", "not an integer"),
        ("25:addChannel = 1 0.5", "incomplete"),
        ("23:isResonance = perhaps", "neither on nor off"),
        ("Random:seed = 4", "seeded from the run's seed"),
        ("Main:numberOfEvents = 4", "run's business"),
        ("Beams:frameType = 4", "own text"),
        ("Beams:LHEF = events.lhe", "own text"),
        ("Beams:idA = 1000822080", "event by event"),
        ("SecondHard:generate = on", "event by event"),
        ("PhaseSpace:increaseMaximum = on", "from one event to the next"),
        ("PartonLevel:all = off", "event record empty"),
        ("MultipartonInteractions:reuseInit = 2", "own text"),
        ("Print:quiet = off", "off the terminal"),
        ("Next:numberShowEvent = 1", "off the terminal"),
        ("Merging:doKTMerging = on", "hooks"),
    ],
)
def test_what_pythia_would_swallow_is_refused(line, problem):
    with pytest.raises(InputError, match=problem):
        check(line)


def test_harmless_values_of_guarded_settings_pass():
    check("SecondHard:generate = off", "Beams:frameType = 2", "PhaseSpace:increaseMaximum = off")


def test_a_setting_given_twice_is_refused_but_decay_switches_may_repeat():
    with pytest.raises(InputError, match="second time"):
        check("Beams:eCM = 91", "beams:ecm = 91")
    with pytest.raises(InputError, match="second time"):
        check("25:m0 = 125", "25:m0 = 126")
    check("23:onMode = off", "23:onIfAny = 13", "23:onIfAny = 11", "23:onIfAny = 11")


def test_every_setting_of_pythia_takes_its_own_default():
    """2000 settings: the strict reading accepts all that Pythia itself says."""
    database = pythia_engine.database()
    pythia = pythia_engine.pythia8mc.Pythia("", False)
    assert len(database.settings) > 1900
    for setting in database.settings.values():
        text = pythia.settings.output(setting.name, False).strip()
        own_fault = setting.name in ("xmlPath", *BEYOND_OWN_LIMITS)
        if setting.kind.endswith("vec"):
            text = ", ".join(text.split())  # Pythia prints a list with blanks, and reads commas
        if text and setting.kind != "wvec" and not own_fault:
            value = canonical_value(setting, text)
            assert pythia.readString(f"{setting.name} = {value}", False), setting.name


def test_all_mistakes_come_at_once_with_their_lines():
    text = """\
settings:
  - Beams:eCMM = 240
  - Beams:idA: 11
  - HiggsSM:ffbar2HZ = of
  - Beams:idA = 11
  - Random:seed = 3
"""
    with pytest.raises(Mistakes) as caught:
        config.parse(text, Pythia8, "chain.yaml")
    message = str(caught.value)
    assert len(caught.value.mistakes) == 4
    for line in (2, 4, 5, 6):
        assert f"chain.yaml:{line}:" in message
    assert "did you mean Beams:eCM" in message


def test_a_mapping_and_a_list_mean_the_same():
    as_mapping = Pythia8(
        settings={"Beams:idA": 11, "Beams:eCM": 91, "PDF:lepton": False, "23:onIfAny": [13, 15]}
    )
    as_list = Pythia8(
        settings=["Beams:idA = 11", "Beams:eCM = 91", "PDF:lepton = off", "23:onIfAny = 13 15"]
    )
    assert as_mapping == as_list
    assert config.parse(config.to_yaml(as_list), Pythia8) == as_list


def test_nothing_at_all_is_refused():
    with pytest.raises(ValueError, match="settings"):
        Pythia8(settings=[])


def test_pythias_refusal_comes_with_its_own_words_and_prints_nothing(capfd):
    step = Pythia8(settings=["Beams:idA = 11", "Beams:idB = -11"])
    with pytest.raises(InputError, match="no process switched on"):
        step.check()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_run_prints_nothing(capfd, configurations):
    step = Pythia8(settings=configurations["z_pole"])
    step.check()
    step.produce(0, 20, 1)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_without_pythia_the_error_names_the_extra():
    program = """
import sys
sys.modules["pythia8mc"] = None
from fiducial.core.errors import MissingExtra
from fiducial.generators import Pythia8
step = Pythia8(settings=["Beams:eCM = 240"])  # its lines are read, if not checked
try:
    step.check()
except MissingExtra as error:
    print(error, error.exit_code)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "fiducial-generators[pythia8]" in done.stdout
    assert done.stdout.strip().endswith(str(MissingExtra.exit_code))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_every_bit(number):
    setting = Setting("Beams:eCM", "parm")
    assert float(canonical_value(setting, repr(number))) == number


@given(st.integers(-(10**9), 10**9), st.integers(-100, 100), st.integers(0, 200))
def test_a_mode_is_taken_exactly_within_its_limits(number, low, width):
    setting = Setting("Tune:ee", "mode", low, low + width)
    if low <= number <= low + width:
        assert canonical_value(setting, str(number)) == str(number)
    else:
        with pytest.raises(InputError, match="out of range"):
            canonical_value(setting, str(number))
