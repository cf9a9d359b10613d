"""The whole way on real chains: run, compare, write; commands as a user gives them."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import steps as edm_steps
from fiducial.framework import load_chain
from fiducial.validation import places
from fiducial.validation.cmd_reference import app as reference_app
from fiducial.validation.compare import Failure
from fiducial.validation.formulas import evaluate
from fiducial.validation.observables import load_observables
from fiducial.validation.plots import draw_png, draw_svg
from fiducial.validation.references import ReferenceStore, TamperedReference
from fiducial.validation.results import picture
from fiducial.validation.run import execute, plan
from fiducial.validation.verdict import examine, judge

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def gun(tmp_path_factory):
    """A finished validation of the particle gun."""
    out = tmp_path_factory.mktemp("validation")
    return out, execute(plan("smoke", ["particle_gun"]), out)


def without_clocks(results):
    return {**results, "chains": [{**c, "run": None} for c in results["chains"]]}


def test_particle_gun_agrees_with_the_closed_formulas(gun):
    _, results = gun
    assert results["passed"], results["failures"]
    assert results["comparisons"] == 19
    assert json.loads((gun[0] / "results.json").read_text()) == results


def test_results_are_the_same_bytes_apart_from_the_clocks(gun, tmp_path):
    again = execute(plan("smoke", ["particle_gun"]), tmp_path)
    assert json.dumps(without_clocks(again)) == json.dumps(without_clocks(gun[1]))
    for path in (gun[0] / "plots").iterdir():
        assert path.read_bytes() == (tmp_path / "plots" / path.name).read_bytes()


def test_junit_has_a_test_for_each_observable(gun):
    root = ET.parse(gun[0] / "junit.xml").getroot()
    cases = root.findall("testsuite/testcase")
    assert [c.get("name") for c in cases] == [o["name"] for o in gun[1]["chains"][0]["observables"]]
    assert root.get("failures") == "0"


def test_page_is_self_contained_and_shows_every_picture(gun):
    page = (gun[0] / "index.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 19
    assert "<script" not in page
    assert 'src="http' not in page


def test_failures_are_told_everywhere_and_end_with_exit_1(tmp_path):
    references = tmp_path / "references"
    shutil.copytree(places.references_directory(), references)
    store = ReferenceStore(references)
    store.with_references({}, remove=("particle_gun.muon_efficiency",))
    key = "particle_gun.photon_energy_scale"
    (references / f"{store.entries[key].sha256}.json").unlink()
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "fiducial.validation", "run", "--chain", "particle_gun", "--out",
         str(out), "--references", str(references), "--progress", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    results = json.loads((out / "results.json").read_text())
    assert not results["passed"]
    assert {(f["observable"], f["failure"]) for f in results["failures"]} == {
        ("muon_efficiency", "extra observable"),
        ("photon_energy_scale", "missing reference"),
    }
    root = ET.parse(out / "junit.xml").getroot()
    assert root.get("failures") == "2"
    assert "missing reference" in (out / "index.html").read_text()
    progress = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"phase": "particle_gun", "done": 12800, "total": 12800} in progress


def test_changed_references_are_refused_before_anything_runs(tmp_path):
    references = tmp_path / "references"
    shutil.copytree(places.references_directory(), references)
    path = next(p for p in sorted(references.glob("*.json")) if p.name != "references.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(TamperedReference, match=path.name):
        plan("smoke", ["particle_gun"], references)


def test_wrong_use_is_refused_with_the_nearest_names():
    with pytest.raises(InputError, match="did you mean zh_recoil"):
        plan("smoke", ["zh_recol"])
    with pytest.raises(InputError, match="did you mean smoke"):
        plan("smke")
    with pytest.raises(InputError, match="false-alarm rate"):
        plan("smoke", alpha=0.0)


@pytest.mark.parametrize("chain", places.chain_names())
def test_every_chain_has_observables_with_sound_references(chain):
    loaded = load_chain(places.chains_directory() / f"{chain}.yaml")
    assert {"smoke", "standard", "full"} <= set(loaded.scales)
    store = ReferenceStore(places.references_directory())
    for observable in load_observables(places.observables_path(chain)):
        reference = store.read(f"{chain}.{observable.name}")
        entry = store.entries[f"{chain}.{observable.name}"]
        assert len(entry.why.split()) >= 3
        if observable.reference.kind == "analytic":
            assert evaluate(observable).estimate == pytest.approx(reference.estimate, rel=1e-9)
        if observable.reference.kind == "blessed":
            assert entry.events > loaded.scales["smoke"]
            assert entry.seed != loaded.seed


def test_shipped_references_are_sealed_and_hold_the_required_physics():
    store = ReferenceStore(places.references_directory())
    assert store.problems() == []
    assert abs(store.read("zh_recoil.recoil_peak_position").estimate - 125.0) < 0.2
    thrust, multiplicity = store.read("z_pole.thrust"), store.read("z_pole.charged_multiplicity")
    assert abs(thrust.estimate - 0.06671) < 3 * np.hypot(thrust.error, 0.00068)
    assert abs(multiplicity.estimate - 20.76) < 3 * np.hypot(multiplicity.error, 0.16)


def test_one_percent_of_momentum_scale_in_the_detector_is_found_by_the_shipped_references():
    """800 events of zh_recoil; the momenta of all reconstructed particles times 1.01."""
    chain = load_chain(places.chains_directory() / "zh_recoil.yaml")
    steps = {named.name: named.step for named in chain.steps}
    batch = edm_steps.produce(steps["generate"], 0, 800, 12345)
    batch = edm_steps.transform(steps["simulate"], batch, 678)
    reco = batch["ReconstructedParticles"]
    scaled = {
        name: np.array(column, copy=True) * np.float32(1.01)
        if name == "energy" or name.startswith("momentum.") else column
        for name, column in reco.columns.items()
    }  # fmt: skip
    store = ReferenceStore(places.references_directory())

    def failed(tables):
        tables = {**tables, "trials": edm_steps.consume(steps["cross_section"], batch)["trials"]}
        declared = load_observables(places.observables_path("zh_recoil"))
        judged = judge([examine("zh_recoil", o, tables, store, 12345) for o in declared])
        assert {r.failure for r in judged} <= {None, Failure.DIFFERS}
        return {r.name for r in judged if not r.passed}

    assert failed(edm_steps.consume(steps["observe"], batch)) == set()
    shifted = type(reco)(reco.offsets, scaled, reco.relations, reco.vectors)
    shifted_batch = batch.with_collections({"ReconstructedParticles": shifted})
    found = failed(edm_steps.consume(steps["observe"], shifted_batch))
    assert {"dimuon_mass", "recoil_mass", "muon_momentum_scale"} <= found


def test_all_mistakes_of_a_declaration_come_at_once_with_their_lines(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "chain: bad\nobservables:\n"
        "  - {name: a, title: A, axis: x, guards: g, table: t,\n"
        "     measure: {kind: distribution, column: c, low: 2, high: 1, bins: 10},\n"
        "     comparison: chi2, reference: {kind: blessed}}\n"
        "  - {name: b, title: B, axis: x, guards: g, table: t, where: [{column: c}],\n"
        "     measure: {kind: mean, column: c}, comparison: pull,\n"
        "     reference: {kind: published, value: 1, error: 1, source: s, doi: d, tolerance: 2}}\n"
        "  - {name: c, title: C, axis: x, guards: g, table: t,\n"
        "     measure: {kind: mean, column: c}, comparison: chi2, reference: {kind: blessed}}\n"
    )
    with pytest.raises(Mistakes) as caught:
        load_observables(path)
    text = str(caught.value)
    for problem in (
        "low 2 is not below high 1", "the cut on 'c' has no condition",
        "tolerance 2 without tolerance_reason", "is compared by welch, not by 'chi2'",
    ):  # fmt: skip
        assert problem in text


def test_reference_commands_show_verify_and_refuse(tmp_path):
    assert RUNNER.invoke(reference_app, ["verify"]).exit_code == 0
    listed = json.loads(RUNNER.invoke(reference_app, ["list", "--json"]).output)
    assert "zh_recoil.recoil_mass" in listed
    shown = RUNNER.invoke(reference_app, ["show", "z_pole.thrust_mean"])
    assert "OPAL" in shown.output
    wrong = RUNNER.invoke(reference_app, ["show", "z_pole.thrust_men"])
    assert "did you mean z_pole.thrust_mean" in str(wrong.exception)
    empty = RUNNER.invoke(reference_app, ["bless", "particle_gun", "--why", "because"])
    assert empty.exception.exit_code == 2
    assert "is no reason" in str(empty.exception)


def test_a_run_outside_of_a_stack_blesses_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("FIDUCIAL_LOCK_SHA256", raising=False)
    references = tmp_path / "references"
    shutil.copytree(places.references_directory(), references)
    before = (references / "references.json").read_bytes()
    arguments = ["bless", "zh_recoil.recoil_width", "--why", "an honest good reason",
                 "--events", "300", "--references", str(references)]  # fmt: skip
    done = RUNNER.invoke(reference_app, arguments)
    assert done.exception.exit_code == 2
    assert "outside of a stack" in str(done.exception)
    assert (references / "references.json").read_bytes() == before
    monkeypatch.setenv("FIDUCIAL_LOCK_SHA256", "ab" * 32)
    few = RUNNER.invoke(reference_app, [*arguments, "--json"])
    assert few.exit_code == 0, few.exception
    entry = ReferenceStore(references).entries["zh_recoil.recoil_width"]
    assert (entry.lock_sha256, entry.events) == ("ab" * 32, 300)


def test_every_reference_from_a_run_binds_the_lock_that_it_was_made_with():
    for key, entry in ReferenceStore(places.references_directory()).entries.items():
        if entry.kind == "blessed":
            assert entry.lock_sha256 and len(entry.lock_sha256) == 64, key


def test_blessing_shows_first_and_writes_only_when_told(tmp_path):
    references = tmp_path / "references"
    shutil.copytree(places.references_directory(), references)
    store = ReferenceStore(references)
    before = store.sha256
    store.with_references({}, remove=("particle_gun.muon_efficiency",))
    arguments = ["bless", "particle_gun", "--why", "restore what was removed",
                 "--references", str(references)]  # fmt: skip
    dry = RUNNER.invoke(reference_app, [*arguments, "--dry-run", "--json"])
    changes = {c["observable"]: c["changed"] for c in json.loads(dry.output)["changes"]}
    assert [name for name, changed in changes.items() if changed] == [
        "particle_gun.muon_efficiency"
    ]
    assert "particle_gun.muon_efficiency" not in ReferenceStore(references).entries
    assert RUNNER.invoke(reference_app, arguments).exit_code == 0
    after = ReferenceStore(references)
    assert after.entries["particle_gun.muon_efficiency"].why == "restore what was removed"
    assert after.sha256 != before  # who, when and why are sealed too
    assert after.problems() == []


def test_pictures_of_every_kind_are_drawn(toy, observables, store):
    table = toy.table(np.random.default_rng(4), 700)
    for observable in observables:
        drawn = picture(examine("toy", observable, {"events": table}, store, 5))
        svg = draw_svg(drawn)
        assert svg.startswith(b"<?xml")
        assert svg == draw_svg(drawn)
        assert draw_png(drawn)[:4] == b"\x89PNG"


@pytest.mark.slow
def test_wheel_carries_chains_and_references(tmp_path):
    source = Path(places.__file__).resolve().parents[3]
    if not (source / "pyproject.toml").exists():
        pytest.skip("not a checkout: nothing to build a wheel from")
    hatchling = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    import zipfile

    builder = hatchling.WheelBuilder(str(source))
    wheel = next(builder.build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    for path in (*source.glob("chains/**/*.yaml"), *source.glob("references/*.json")):
        assert f"fiducial/validation/{path.relative_to(source)}" in names
    assert "fiducial/validation/templates/index.html.j2" in names
