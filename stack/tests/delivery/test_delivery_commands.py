"""The delivery commands as a user meets them: answers, exit codes, mistakes."""

from __future__ import annotations

import json

import pytest

from fiducial.stack.cli.app import run
from fiducial.stack.keys import public_path
from fiducial.stack.repository_directory import DirectoryRepository


@pytest.fixture
def desk(site, monkeypatch, capsys, binder):
    """A release manager's desk: a key, a stack with a verdict, and the program."""
    key = site.root / "keys/signing.pem"
    monkeypatch.setenv("FIDUCIAL_SIGNING_KEY", str(key))
    monkeypatch.setenv("FIDUCIAL_TRUST", str(site.root / "trusted"))
    monkeypatch.setattr("fiducial.stack.host_binding.host_binder", lambda python=None: binder)
    monkeypatch.chdir(site.root)

    def command(*arguments, code=0):
        assert run([str(argument) for argument in arguments]) == code
        site.said = capsys.readouterr()
        return site.said.out

    site.command = command
    command("key", "new")
    from fiducial.stack.keys import load_private_key

    site.key = load_private_key(key)
    site.prefix = site.make_stack()
    site.verdict = site.judge(site.prefix)
    return site


def publish(desk, *more, code=0):
    return desk.command(
        "publish", desk.prefix, "--verdict", desk.verdict, "--repository", "repository",
        "--channel", "nightly", *more, code=code,
    )  # fmt: skip


def deploy(desk, *more, code=0):
    return desk.command(
        "deploy", "--repository", "repository", "--channel", "nightly", "--to", "site", *more,
        code=code,
    )  # fmt: skip


def test_publish_then_deploy_then_look(desk):
    assert "channel nightly moved to it (revision 1)" in publish(desk)
    assert "published already, nothing changed" in publish(desk)
    assert "source" in deploy(desk)
    assert (desk.root / "site/current/lib/one.py").exists()
    listed = desk.command("repository", "list", "--repository", "repository")
    assert "channel nightly: base-1 (revision 1)" in listed
    assert "base-1: passed at smoke" in listed
    assert "sound" in desk.command("repository", "verify", "--repository", "repository")
    page = desk.command(
        "report", "--repository", "repository", "--channel", "nightly", "--out", "page.html"
    )
    assert "wrote" in page
    assert "✓ Passed" in (desk.root / "page.html").read_text()


def test_every_command_answers_in_json(desk):
    done = json.loads(publish(desk, "--json"))
    assert (done["channel_moved"], done["channel_revision"], done["passed"]) == (True, 1, True)
    done = json.loads(deploy(desk, "--json"))
    assert (done["checked_out"], done["switched"]) == (True, True)
    listed = json.loads(desk.command("repository", "list", "--repository", "repository", "--json"))
    assert listed["channels"][0]["release"] == "base-1"
    assert (
        json.loads(desk.command("repository", "verify", "--repository", "repository", "--json"))
        == []
    )
    assert json.loads(desk.command("repository", "gc", "--repository", "repository", "--json")) == {
        "transactions": 0,
        "objects": 0,
        "bytes": 0,
    }
    assert json.loads(desk.command("key", "trusted", "--json")) == [desk.key.key_id]


def test_a_dry_run_writes_nothing(desk):
    arguments = [desk.prefix, "--verdict", desk.verdict, "--repository", "new"]
    assert "would publish base-1" in desk.command("publish", *arguments, "--dry-run")
    desk.command("publish", "nowhere", *arguments[1:], code=2)
    assert not (desk.root / "new").exists()
    publish(desk)
    before = sorted(path for path in desk.root.rglob("*"))
    publish(desk, "--dry-run")
    deploy(desk, "--dry-run")
    desk.command("report", desk.prefix, "--validation", desk.verdict.parent, "--dry-run")
    assert sorted(path for path in desk.root.rglob("*")) == before


def test_a_failed_verdict_is_published_and_the_answer_is_no(desk, results_of):
    publish(desk)
    desk.prefix = desk.make_stack("base-2", {"lib/new": b"new"})
    desk.verdict = desk.judge(desk.prefix, results_of(passed=False))
    publish(desk, code=1)
    assert "failed verdict: base-2 (chain.width: differs (p = 1e-9))" in desk.said.err
    repository = DirectoryRepository(desk.root / "repository")
    assert repository.releases() == ["base-1", "base-2"]
    assert repository.ledgers.last("channels/nightly") == 1
    desk.command("deploy", "--repository", "repository", "--release", "base-2", "--to", "x", code=1)
    assert "failed verdict" in desk.said.err
    desk.command("deploy", "--repository", "repository", "--release", "base-2", "--to", "x",
                 "--allow-failed")  # fmt: skip
    desk.command("repository", "promote", "base-2", "--repository", "repository", "--channel",
                 "nightly", code=1)  # fmt: skip


def test_going_back_is_a_promotion(desk):
    publish(desk)
    desk.prefix = desk.make_stack("base-2", {"lib/new": b"new"})
    desk.verdict = desk.judge(desk.prefix)
    publish(desk)
    said = desk.command("repository", "promote", "base-1", "--repository", "repository",
                        "--channel", "nightly")  # fmt: skip
    assert "channel nightly moved to base-1 (revision 3)" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deploy", "--repository", "repository", "--channel", "nigtly", "--to", "x"],
         "did you mean nightly"),
        (["deploy", "--repository", "repository", "--release", "base-9", "--to", "x"],
         "published are: base-1"),
        (["deploy", "--repository", "repository", "--to", "x"], "--channel or --release"),
        (["deploy", "--repository", "repository", "--channel", "../x", "--to", "x"],
         "cannot be the name"),
        (["deploy", "--repository", "stacks", "--channel", "nightly", "--to", "x"],
         "is not a repository"),
        (["publish", "nowhere", "--repository", "repository"], "there is no"),
        (["publish", "stacks/base-1", "--verdict", "validated/base-1/verdict.dsse.json",
          "--repository", "stacks"], "is not a repository"),
        (["validate", "stacks/base-1", "--scale", "smok"], "did you mean smoke"),
        (["validate", "nowhere"], "is not a stack"),
        (["report"], "name a stack's folder or a repository"),
        (["key", "new"], "exists already"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_what_to_try(desk, arguments, words):
    publish(desk)
    desk.command(*arguments, code=2)
    assert words in desk.said.err
    assert "Traceback" not in desk.said.err
    assert not (desk.root / "x/current").exists()


def test_without_a_trusted_key_nothing_is_deployed(desk):
    publish(desk)
    public_path(desk.root / "keys/signing.pem").unlink()
    deploy(desk, code=3)
    assert "no trusted public key" in desk.said.err
    assert not (desk.root / "site").exists()


def test_a_key_that_others_can_read_signs_nothing(desk):
    (desk.root / "keys/signing.pem").chmod(0o644)
    publish(desk, code=3)
    assert "chmod 600" in desk.said.err
    assert not (desk.root / "repository").exists()


def test_a_damaged_repository_is_named_and_deploys_nothing(desk, flip):
    publish(desk)
    repository = DirectoryRepository(desk.root / "repository")
    flip(next(path for path in repository.objects.root.rglob("*") if path.stat().st_size > 9000))
    deploy(desk, code=1)
    assert "lib/deep/er/data.bin" in desk.said.err
    desk.command("repository", "verify", "--repository", "repository", code=1)
    assert "object changed" in desk.said.err
    publish(desk)
    deploy(desk)
