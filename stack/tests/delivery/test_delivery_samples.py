"""Repositories and verdicts of every published format still open.

``samples/v1`` was made by fiducial-stack 0.1.0 and never changes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.stack.deploy import deploy, plan_deploy
from fiducial.stack.keys import load_trusted_keys
from fiducial.stack.progress import SilentProgress
from fiducial.stack.repository_directory import DirectoryRepository
from fiducial.stack.verdict import open_verdict

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("version", sorted(path.name for path in SAMPLES.iterdir()))
def test_an_old_repository_still_verifies_and_deploys(version, tmp_path, binder):
    sample = SAMPLES / version
    trusted = load_trusted_keys([sample / "signing.pub.pem"])
    repository = DirectoryRepository(sample / "repository")
    assert repository.verify(trusted) == []
    plan = plan_deploy(repository, tmp_path / "site", trusted, channel="nightly")
    deploy(plan, repository, binder, SilentProgress())
    assert (tmp_path / "site/current/lib/one.py").read_bytes() == b"print(1)\n"


@pytest.mark.parametrize("version", sorted(path.name for path in SAMPLES.iterdir()))
def test_an_old_verdict_still_opens(version):
    sample = SAMPLES / version
    trusted = load_trusted_keys([sample / "signing.pub.pem"])
    verdict = open_verdict((sample / "verdict.dsse.json").read_bytes(), trusted)
    assert verdict.passed
    assert verdict.predicate.scale == "smoke"
