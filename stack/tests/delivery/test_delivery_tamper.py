"""One byte changed anywhere in a repository is refused, by name, and what is deployed stays."""

from __future__ import annotations

import json
import shutil

import pytest

from fiducial.stack import dsse
from fiducial.stack.channel import standing
from fiducial.stack.deploy import deploy, plan_deploy
from fiducial.stack.errors import InputError
from fiducial.stack.keys import PrivateKey
from fiducial.stack.ledger import PAYLOAD_TYPE
from fiducial.stack.publish import plan_publish, publish
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.release import judge


@pytest.fixture
def published(site, binder):
    """A site with one stack published to nightly and deployed."""
    prefix = site.make_stack()
    site.verdict = site.judge(prefix)
    site.prefix = prefix
    site.bind = binder
    _publish(site)
    _deploy(site)
    return site


def _publish(site, channel="nightly", **options):
    plan = plan_publish(
        site.prefix, site.verdict, site.repository, site.trusted, channel, **options
    )
    return publish(plan, site.repository, site.key, site.trusted, site.progress)


def _deploy(site, to="site"):
    plan = plan_deploy(site.repository, site.root / to, site.trusted, channel="nightly")
    return deploy(plan, site.repository, site.bind, site.progress)


def _refused_deploy(site, kind):
    """Deploying is refused for ``kind``, to a new place and to the old one, which stays whole."""
    before = (site.root / "site/current").readlink()
    for to in ("elsewhere", "site"):
        if to == "site":
            (site.root / "site/current/lib/one.py").unlink()  # so that it must be fetched again
        with pytest.raises(Refused) as caught:
            _deploy(site, to)
        assert caught.value.kinds == {kind}
        assert not list((site.root / to).glob("versions/.*"))
    assert not (site.root / "elsewhere/current").exists()
    assert (site.root / "site/current").readlink() == before
    found = {failure.kind for failure in site.repository.verify(site.trusted)}
    assert kind in found


def _object(site, sha256):
    return site.repository.objects.path(sha256)


def test_a_changed_object_is_refused_by_the_name_of_its_file(published, flip):
    release, _ = published.repository.release("base-1", published.trusted)
    manifest = judge(published.repository, "base-1", published.trusted).manifest
    flip(_object(published, manifest.entries()["lib/one.py"].sha256))
    with pytest.raises(Refused, match=r"object changed: lib/(also-)?one\.py"):
        _deploy(published, "new")
    _refused_deploy(published, Refusal.OBJECT_CHANGED)
    assert release.files > 0


def test_a_missing_object_is_refused(published):
    manifest = judge(published.repository, "base-1", published.trusted).manifest
    _object(published, manifest.entries()["lib/one.py"].sha256).unlink()
    _refused_deploy(published, Refusal.OBJECT_MISSING)


def test_publishing_again_mends_a_changed_object(published, flip):
    manifest = judge(published.repository, "base-1", published.trusted).manifest
    flip(_object(published, manifest.entries()["bin/tool"].sha256))
    done = _publish(published)
    assert done.transfer.mended == 1
    assert published.repository.verify(published.trusted) == []
    _deploy(published, "elsewhere")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ("manifest_sha256", Refusal.MANIFEST_CHANGED),
        ("verdict_sha256", Refusal.VERDICT_CHANGED),
        ("results_sha256", Refusal.RESULTS_CHANGED),
    ],
)
def test_a_changed_document_is_refused(published, flip, document, kind):
    release, _ = published.repository.release("base-1", published.trusted)
    flip(_object(published, getattr(release, document)))
    _refused_deploy(published, kind)


@pytest.mark.parametrize("ledger", ["channels/nightly", "releases/base-1"])
def test_no_byte_of_a_record_can_be_changed(published, ledger):
    path = published.repository.root / ledger / "00000001.dsse.json"
    sound = path.read_bytes()
    path.chmod(0o644)
    for position in range(0, len(sound), 7):
        altered = bytearray(sound)
        altered[position] ^= 1
        path.write_bytes(bytes(altered))
        with pytest.raises(Refused) as caught:
            _deploy(published, "elsewhere")
        assert caught.value.kinds <= {
            Refusal.BAD_SIGNATURE, Refusal.MALFORMED, Refusal.UNKNOWN_KEY, Refusal.WRONG_TYPE,
        }  # fmt: skip
        assert ledger in str(caught.value)
    path.write_bytes(sound)
    _deploy(published, "elsewhere")


def test_a_byte_changed_in_the_stack_is_refused_at_publish(published, flip):
    second = published.make_stack("base-2")
    published.verdict = published.judge(second)
    published.prefix = second
    flip(second / "lib/deep/er/data.bin")
    with pytest.raises(Refused) as caught:
        _publish(published)
    assert caught.value.kinds == {Refusal.OBJECT_CHANGED}
    assert "lib/deep/er/data.bin" in str(caught.value)
    assert published.repository.releases() == ["base-1"]
    assert standing(published.repository, "nightly", published.trusted).revision == 1


def test_a_changed_manifest_of_the_stack_is_refused_at_publish(published):
    path = published.prefix / "manifest.json"
    text = path.read_text().replace('"644"', '"755"', 1)
    path.write_text(text)
    with pytest.raises(Refused) as caught:
        _publish(published)
    assert caught.value.kinds == {Refusal.WRONG_SUBJECT}


def test_a_changed_verdict_or_result_is_refused_at_publish(published, flip):
    flip(published.verdict)
    with pytest.raises(Refused):
        _publish(published)
    published.verdict = published.judge(published.prefix)
    flip(published.verdict.with_name("results.json"))
    with pytest.raises((Refused, InputError)) as caught:
        _publish(published)
    assert caught.value.exit_code in (1, 2)
    assert Refusal.RESULTS_CHANGED in getattr(caught.value, "kinds", {Refusal.RESULTS_CHANGED})


def test_other_references_than_demanded_are_refused(published):
    with pytest.raises(Refused) as caught:
        _publish(published, references_sha256="e" * 64)
    assert caught.value.kinds == {Refusal.WRONG_REFERENCES}


def test_a_verdict_signed_by_a_stranger_is_refused(published):
    published.verdict = published.judge(published.prefix, key=PrivateKey.generate())
    with pytest.raises(Refused) as caught:
        _publish(published)
    assert caught.value.kinds == {Refusal.UNKNOWN_KEY}


def _second(site):
    site.prefix = site.make_stack("base-2", {"lib/new": b"new"})
    site.verdict = site.judge(site.prefix)
    _publish(site)
    return site.repository.root / "channels/nightly"


def test_a_channel_rolled_back_behind_our_back_is_refused(published):
    folder = _second(published)
    _deploy(published)
    (folder / "00000002.dsse.json").unlink()
    with pytest.raises(Refused) as caught:
        _deploy(published)
    assert caught.value.kinds == {Refusal.CHANNEL_ROLLED_BACK}
    assert (published.root / "site/current/lib/new").exists()


def test_an_old_pointer_replayed_as_the_newest_is_refused(published):
    folder = _second(published)
    shutil.copy(folder / "00000001.dsse.json", folder / "00000003.dsse.json")
    with pytest.raises(Refused) as caught:
        _deploy(published)
    assert caught.value.kinds == {Refusal.RECORD_CHANGED}


def test_a_pointer_of_another_channel_is_refused(published):
    root = published.repository.root
    shutil.copytree(root / "channels/nightly", root / "channels/latest")
    with pytest.raises(Refused) as caught:
        plan_deploy(published.repository, published.root / "x", published.trusted, channel="latest")
    assert caught.value.kinds == {Refusal.RECORD_CHANGED}


def test_history_cannot_be_cut_in_the_middle(published):
    folder = _second(published)
    (folder / "00000001.dsse.json").unlink()
    with pytest.raises(Refused) as caught:
        _deploy(published)
    assert caught.value.kinds == {Refusal.RECORD_MISSING}


def test_another_repository_under_the_same_path_is_refused(published):
    path = published.repository.root / "repository.json"
    path.write_text(json.dumps({"format": 1, "id": "another"}))
    with pytest.raises((Refused, InputError), match="another repository"):
        _deploy(published)


def test_a_pointer_signed_over_a_failed_release_still_deploys_nothing(published, results_of):
    """Even whoever holds the key cannot make a channel deploy a failed stack."""
    published.prefix = published.make_stack("base-2", {"lib/new": b"new"})
    published.verdict = published.judge(published.prefix, results_of(passed=False))
    done = _publish(published)
    assert done.moved is None
    repository = published.repository
    judged = judge(repository, "base-2", published.trusted, must_pass=False)
    with pytest.raises(Refused) as caught:
        repository.advance("nightly", judged.pointer, 1, published.key, published.trusted)
    assert caught.value.kinds == {Refusal.FAILED_VERDICT}
    repository.ledgers.append("channels/nightly", judged.pointer.model_dump(), 1, published.key)
    with pytest.raises(Refused) as caught:
        _deploy(published)
    assert caught.value.kinds == {Refusal.FAILED_VERDICT}
    assert not (published.root / "site/current/lib/new").exists()


def test_a_release_record_that_lies_about_passing_is_refused(published, results_of):
    published.prefix = published.make_stack("base-2")
    published.verdict = published.judge(published.prefix, results_of(passed=False))
    _publish(published)
    release, record = published.repository.release("base-2", published.trusted)
    lie = release.model_copy(update={"passed": True})
    published.repository.add_release(lie, record.revision, published.key)
    with pytest.raises(Refused) as caught:
        judge(published.repository, "base-2", published.trusted, must_pass=False)
    assert caught.value.kinds == {Refusal.RECORD_CHANGED}


def test_a_record_that_is_no_document_is_refused(published):
    envelope = dsse.seal(PAYLOAD_TYPE, b"[]", published.key)
    path = published.repository.root / "channels/nightly/00000002.dsse.json"
    path.write_bytes(envelope)
    with pytest.raises(Refused) as caught:
        _deploy(published)
    assert caught.value.kinds == {Refusal.WRONG_TYPE}
