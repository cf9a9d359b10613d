"""From a validated stack to a deployed one, and what a second time does."""

from __future__ import annotations

import pytest

from fiducial.stack.deploy import deploy, plan_deploy
from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.publish import plan_publish, promote, publish
from fiducial.stack.verify import differences


def published(site, prefix, verdict, channel="nightly"):
    plan = plan_publish(prefix, verdict, site.repository, site.trusted, channel)
    return publish(plan, site.repository, site.key, site.trusted, site.progress)


def deployed(site, binder, to="site", channel="nightly", **options):
    options = options or {"channel": channel}
    plan = plan_deploy(site.repository, site.root / to, site.trusted, **options)
    return deploy(plan, site.repository, binder, site.progress)


def test_a_deployed_stack_is_what_the_manifest_says(site, binder):
    prefix = site.make_stack()
    done = published(site, prefix, site.judge(prefix))
    assert done.moved is not None
    assert done.moved.revision == 1
    result = deployed(site, binder)
    current = site.root / "site" / "current"
    assert differences(current, result.plan.judged.manifest) == []
    assert (current / "lib/link.py").readlink().as_posix() == "one.py"
    assert (current / "bin/python").is_symlink()
    assert (current / "bin/tool").stat().st_mode & 0o777 == 0o755


def test_equal_files_are_stored_once(site):
    prefix = site.make_stack()
    done = published(site, prefix, site.judge(prefix))
    digests = list(site.repository.objects)
    assert len(digests) == len(set(digests)) == done.transfer.objects
    assert done.transfer.objects < done.plan.release.files + 6


def test_publishing_twice_changes_nothing_and_says_so(site):
    prefix = site.make_stack()
    verdict = site.judge(prefix)
    assert published(site, prefix, verdict).changed
    again = published(site, prefix, verdict)
    assert not again.changed
    assert again.to_dict()["channel_revision"] == 1
    assert site.repository.ledgers.last("channels/nightly") == 1


def test_deploying_twice_writes_nothing(site, binder):
    prefix = site.make_stack()
    published(site, prefix, site.judge(prefix))
    assert deployed(site, binder).written_bytes > 0
    again = deployed(site, binder)
    assert (again.written_bytes, again.checked_out, again.switched) == (0, False, False)


def test_an_altered_deployment_is_checked_out_anew(site, binder, flip):
    prefix = site.make_stack()
    published(site, prefix, site.judge(prefix))
    deployed(site, binder)
    flip(site.root / "site/current/lib/one.py")
    again = deployed(site, binder)
    assert again.checked_out
    assert (site.root / "site/current/lib/one.py").read_bytes() == b"print(1)\n"


def test_a_new_version_replaces_the_old_and_a_rollback_is_a_new_revision(site, binder):
    first, second = site.make_stack("base-1"), site.make_stack("base-2", {"lib/new": b"new"})
    published(site, first, site.judge(first))
    deployed(site, binder)
    published(site, second, site.judge(second))
    deployed(site, binder)
    assert (site.root / "site/current/lib/new").read_bytes() == b"new"
    _, record = promote(site.repository, "base-1", "nightly", site.key, site.trusted)
    assert record is not None
    assert record.revision == 3
    assert deployed(site, binder).switched
    assert not (site.root / "site/current/lib/new").exists()
    assert (site.root / "site/versions/base-2/lib/new").exists()


def test_a_failed_stack_is_published_for_inspection_and_its_channel_stays(site, binder, results_of):
    good, bad = site.make_stack("base-1"), site.make_stack("base-2", {"lib/new": b"new"})
    published(site, good, site.judge(good))
    done = published(site, bad, site.judge(bad, results_of(passed=False)))
    assert done.moved is None
    assert [str(item.kind) for item in done.plan.obstacles] == ["failed verdict"]
    assert site.repository.releases() == ["base-1", "base-2"]
    assert deployed(site, binder).plan.judged.release.stack == "base-1"
    looked = deployed(site, binder, to="look", release="base-2", allow_failed=True)
    assert looked.plan.judged.release.passed is False


def test_a_partial_verdict_moves_no_channel(site):
    prefix = site.make_stack()
    done = published(site, prefix, site.judge(prefix, selection=["chain"]))
    assert done.moved is None
    assert [str(item.kind) for item in done.plan.obstacles] == ["partial verdict"]


def test_collecting_keeps_what_releases_need_and_removes_the_rest(site, binder):
    prefix = site.make_stack()
    published(site, prefix, site.judge(prefix))
    repository = site.repository
    stray = repository.objects.path("f" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"nobody needs this")
    (repository.root / "transactions" / "dead").mkdir(parents=True, exist_ok=True)
    seen = repository.gc(site.trusted, dry_run=True)
    assert stray.exists()
    assert repository.gc(site.trusted) == seen
    assert (seen.objects, seen.transactions, seen.bytes) == (1, 1, 17)
    assert not stray.exists()
    assert repository.verify(site.trusted) == []
    deployed(site, binder)


def test_collecting_waits_for_no_publisher(site):
    with site.repository.publishing(), pytest.raises(EnvironmentProblem, match="in use"):
        site.repository.gc(site.trusted)
