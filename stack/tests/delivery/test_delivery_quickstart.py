"""What a quickstart may use again, and what it does after a failure."""

from __future__ import annotations

import json

import pytest

from fiducial.stack import quickstart as module
from fiducial.stack.cli.app import run
from fiducial.stack.keys import PrivateKey
from fiducial.stack.manifest import read_manifest
from fiducial.stack.publish import RESULTS
from fiducial.stack.quickstart import Outcome, Settings, reusable
from fiducial.stack.repository_directory import DirectoryRepository


@pytest.fixture
def judged(site):
    site.prefix = site.make_stack()
    site.folder = site.judge(site.prefix).parent
    site.manifest = read_manifest(site.prefix)
    return site


def test_a_passing_verdict_about_exactly_this_stack_is_used_again(judged):
    again = reusable(judged.manifest, judged.folder, "smoke", judged.key)
    assert again is not None
    assert again.passed


def test_a_verdict_about_another_stack_scale_or_key_is_not_used_again(judged):
    other = judged.manifest.model_copy(update={"inputs_sha256": "e" * 64})
    assert reusable(other, judged.folder, "smoke", judged.key) is None
    assert reusable(judged.manifest, judged.folder, "full", judged.key) is None
    assert reusable(judged.manifest, judged.folder, "smoke", PrivateKey.generate()) is None
    assert reusable(judged.manifest, judged.root / "none", "smoke", judged.key) is None


def test_a_failed_or_partial_verdict_is_not_used_again(judged, results_of):
    judged.judge(judged.prefix, results_of(passed=False))
    assert reusable(judged.manifest, judged.folder, "smoke", judged.key) is None
    judged.judge(judged.prefix, selection=["chain"])
    assert reusable(judged.manifest, judged.folder, "smoke", judged.key) is None


@pytest.mark.parametrize("name", ["verdict.dsse.json", RESULTS])
def test_no_changed_byte_is_used_again(judged, flip, name):
    flip(judged.folder / name)
    assert reusable(judged.manifest, judged.folder, "smoke", judged.key) is None


@pytest.fixture
def quick(judged, monkeypatch, binder):
    """The phases after the build, on a stack that is there."""
    settings = Settings(judged.root / "work")
    settings.workdir.mkdir()
    judged.prefix.rename(settings.path("stack"))

    def go(folder):
        folder.rename(settings.path("validation"))
        outcome = Outcome(settings)
        outcome.phases += [module.PhaseDone(name, "", 0) for name in ("lock", "build")]
        outcome.stack = judged.manifest.stack
        monkeypatch.setattr(module, "host_binder", lambda: binder)
        monkeypatch.setattr(module, "check_deployed", lambda *arguments: [])
        module._validate(judged.manifest, judged.key, outcome, judged.progress)
        repository = module._publish(judged.key, outcome, judged.progress)
        module._deploy(repository, judged.key, outcome, judged.progress)
        module._report(judged.key, outcome, judged.progress)
        return outcome

    return go


def test_after_a_pass_everything_is_done_and_reported(quick, judged):
    outcome = quick(judged.folder)
    assert outcome.passed
    assert [phase.name for phase in outcome.phases] == list(module.PHASES)
    assert "used again (--revalidate)" in outcome.phases[2].outcome
    assert (outcome.settings.path("site/current/lib/one.py")).exists()
    page = outcome.report.read_text()
    assert "✓ Passed" in page
    assert "nightly" in page


def test_after_a_failed_verdict_nothing_is_promoted_or_deployed_but_reported(
    quick, judged, results_of, monkeypatch
):
    folder = judged.folder
    judged.prefix = judged.root / "work/stack"
    results = json.dumps(results_of(passed=False)).encode()
    (folder / RESULTS).write_bytes(results)
    from fiducial.stack.validate import Validated
    from fiducial.stack.verdict import make_verdict, open_verdict

    envelope = make_verdict(judged.manifest.stack, judged.manifest.sha256, results, judged.key)
    (folder / "verdict.dsse.json").write_bytes(envelope)
    verdict = open_verdict(envelope, judged.trusted)
    ran = []

    def validate(prefix, scale, out, key, progress):
        ran.append(scale)
        return Validated(out, judged.manifest, None, verdict)

    monkeypatch.setattr(module, "validate", validate)
    outcome = quick(folder)
    assert ran == ["smoke"]  # a failed verdict is not taken from the shelf
    assert not outcome.passed
    assert "FAILED: 1/2 observables" in outcome.phases[2].outcome
    repository = DirectoryRepository(outcome.settings.path("repository"))
    assert repository.releases() == ["base-1"]
    assert repository.channels() == []
    assert not outcome.settings.path("site").exists()
    assert "✗ Failed" in outcome.report.read_text()


def test_a_mistake_is_found_before_anything_is_done(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["quickstart", "--scale", "smoky", "--workdir", str(tmp_path / "w")]) == 2
    assert "did you mean smoke" in capsys.readouterr().err
    assert run(["quickstart", "--workdir", str(tmp_path / "w")]) == 2
    assert list(tmp_path.iterdir()) == []
