"""Reading a chain: every mistake at once, with its line and the nearest valid names."""

import os
from pathlib import Path

import pytest

from fiducial.core.errors import (
    EnvironmentProblem,
    InputError,
    InternalError,
    MissingExtra,
    Mistakes,
)
from fiducial.framework import installed_chains, load_chain, load_step, parse_chain, step_names

BAD = """\
chain: bad chain
seed: -4
scales: {smoke: 0}
rnage: 10
steps:
  - {name: make, use: toy_sorce, with: {mean: 4}}
  - {name: smear, use: toy_smear, with: {resolution: -1, resolutoin: 2}}
  - {name: smear, use: toy_at_least, with: {muons: many}}
outputs:
  events: {format: rntupel}
"""


def lines_of(error: Mistakes) -> dict[int, str]:
    """{line: its mistakes}"""
    found: dict[int, str] = {}
    for mistake in error.mistakes:
        line = int(mistake.where.split(":")[1])
        found[line] = found.get(line, "") + str(mistake) + "\n"
    return found


def test_all_mistakes_of_a_chain_come_at_once_with_their_lines() -> None:
    with pytest.raises(Mistakes) as caught:
        parse_chain(BAD, "bad.yaml")
    found = lines_of(caught.value)
    assert set(found) == {1, 2, 3, 4, 6, 7, 8, 10}
    assert "did you mean range?" in found[4]
    assert "no step 'toy_sorce'" in found[6] and "toy_source" in found[6]
    assert "resolution" in found[7] and "did you mean resolution?" in found[7]
    assert "a second step named 'smear'" in found[8] and "muons" in found[8]
    assert "did you mean rntuple?" in found[10]
    assert all(line.startswith("bad.yaml:") for line in str(caught.value).splitlines()[1:])


def wiring(*steps: str, outputs: str = "{}") -> str:
    listed = "\n".join(f"  - {{{step}}}" for step in steps)
    return f"chain: wired\nsteps:\n{listed}\noutputs: {outputs}\n"


MAKE, SMEAR = "name: make, use: toy_source", "name: smear, use: toy_smear"
SELECT, OBSERVE = "name: select, use: toy_at_least", "name: observe, use: toy_observe"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (wiring(SMEAR, MAKE), 3, "the first step 'smear' is no producer"),
        (wiring(SMEAR, MAKE), 4, "the producer 'make' is not the first step"),
        (wiring(MAKE, "name: more, use: toy_source"), 4, "a second producer 'more'"),
        (wiring(MAKE, OBSERVE), 4, "'observe' reads 'ReconstructedParticles'"),
        (wiring(MAKE, OBSERVE, SMEAR), 4, "move 'observe' after 'smear'"),
        (
            wiring(MAKE, "name: s, use: toy_smear, with: {output: ReconstructedParticle}", OBSERVE),
            5,
            "did you mean ReconstructedParticle or",
        ),
        (wiring(MAKE, SMEAR, "name: again, use: toy_smear"), 5, "which 'smear' makes too"),
        (
            wiring(MAKE, outputs="{events: {format: rntuple, keep: [MCParticle]}}"),
            4,
            "no step makes 'MCParticle': did you mean MCParticles?",
        ),
        (
            wiring(MAKE, outputs="{events: {format: rntuple, keep: [MCParticles, MCParticles]}}"),
            4,
            "kept 2 times",
        ),
        (
            wiring(MAKE, outputs="{h: {format: hepmc3, keep: [EventHeader]}}"),
            4,
            "HepMC3 holds MCParticles",
        ),
        (wiring("name: make, use: toy_source, with: {mean: 13}"), 3, "13 muons bring bad luck"),
        (wiring("name: make"), 3, "steps[0].use: this key is required"),
        (wiring(), 2, "steps"),
        ("chain: empty\n", 1, "steps"),
        ("- a\n- b\n", 1, "expected keys and values"),
    ],
)
def test_a_mistake_is_told_at_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(Mistakes) as caught:
        parse_chain(text, "chain.yaml")
    assert problem in lines_of(caught.value)[line]


def test_a_step_that_is_not_understood_causes_no_second_mistake() -> None:
    text = wiring("name: make, use: toy_sorce", OBSERVE, SELECT)
    with pytest.raises(Mistakes) as caught:
        parse_chain(text)
    assert len(caught.value.mistakes) == 1


def test_a_misspelt_output_is_told_although_a_step_is_not_understood() -> None:
    keep = "{events: {format: rntuple, keep: [MCParticels, Wholly, MCParticles]}}"
    with pytest.raises(Mistakes) as caught:
        parse_chain(wiring("name: make, use: toy_sorce", SMEAR, outputs=keep))
    found = lines_of(caught.value)
    assert set(found) == {3, 5}
    assert "no step makes 'MCParticels': did you mean MCParticles?" in found[5]
    assert "Wholly" not in found[5], "what the unknown step makes is not known"


def test_a_refused_setting_and_an_unknown_step_come_together() -> None:
    text = wiring("name: make, use: toy_source, with: {mean: 13}", "name: smear, use: toy_smeer")
    with pytest.raises(Mistakes) as caught:
        parse_chain(text)
    assert len(caught.value.mistakes) == 2


def test_settings_may_be_left_out_or_empty() -> None:
    for settings in ("", ", with: {}", ", with: null"):
        chain = parse_chain(wiring(f"name: make, use: toy_source{settings}"))
        assert chain.steps[0].step.mean == 5.0


def test_a_step_that_cannot_be_imported_names_the_extra_that_brings_what_it_needs() -> None:
    assert "toy_exotic" in step_names()
    with pytest.raises(MissingExtra, match=r"framework-toys\[exotic\]"):
        load_step("toy_exotic")
    with pytest.raises(MissingExtra, match=r"framework-toys\[exotic\]"):
        parse_chain(wiring(MAKE, "name: odd, use: toy_exotic"))
    with pytest.raises(InternalError, match="is not a step"):
        load_step("toy_no_step")
    with pytest.raises(InputError, match="toy_smear"):
        load_step("toy_smeer")


def test_a_name_that_two_distributions_register_is_refused(toys: Path) -> None:
    info = toys / "framework_rivals-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: framework-rivals\nVersion: 1.0\n")
    points = info / "entry_points.txt"
    points.write_text("[fiducial.steps]\ntoy_smear = framework_toy_steps:Smear\n")
    try:
        with pytest.raises(EnvironmentProblem, match="framework-rivals and framework-toys"):
            load_step("toy_smear")
    finally:
        points.unlink()
        (info / "METADATA").unlink()
        info.rmdir()


def test_installed_chains_are_found_by_name_and_files_by_path(
    tmp_path: Path, chain_text: str
) -> None:
    assert "toys" in {chain.name for chain in installed_chains()}
    assert load_chain("toys").name == "toys"
    with pytest.raises(InputError, match="toys"):
        load_chain("tosy")
    (tmp_path / "mine.yaml").write_text(chain_text)
    assert load_chain(tmp_path / "mine.yaml").sha256 == load_chain("toys").sha256
    with pytest.raises(InputError, match=r"did you mean mine.yaml"):
        load_chain(str(tmp_path / "mien.yaml"))
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(InputError, match="no chain file"):
        load_chain(tmp_path / "pipe.yaml")


def test_the_digest_of_a_chain_moves_with_every_setting_and_not_with_comments() -> None:
    plain = parse_chain(wiring(MAKE, SMEAR))
    explicit = parse_chain(wiring(MAKE + ", with: {mean: 5.0}", SMEAR) + "# a comment\n")
    other = parse_chain(wiring(MAKE + ", with: {mean: 5.5}", SMEAR))
    assert plain.sha256 == explicit.sha256 != other.sha256
