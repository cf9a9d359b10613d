"""Killed, raced, or out of space at any point: the last good channel still deploys.

The work runs in a forked process that kills itself (a real SIGKILL) just before its n-th
change of the file system, for every n until it comes through; an audit hook counts the
changes, so the program under test knows nothing of it.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest

from fiducial.stack.channel import standing
from fiducial.stack.deploy import deploy, plan_deploy
from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.publish import plan_publish, publish
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.repository_directory import DirectoryRepository
from fiducial.stack.verify import differences

CHANGES = {"os.rename", "os.link", "os.mkdir", "os.symlink", "os.remove", "os.rmdir", "os.chmod"}
NEED_SPACE = {"os.rename", "os.link", "os.mkdir", "os.symlink"}


def on_change(below: Path, names: set[str], act: Callable[[], None]) -> None:
    """Call ``act`` before each change of the file system below a folder. Cannot be undone."""
    root = str(below)

    def hook(event: str, args: tuple) -> None:
        if event == "open":
            path, _, flags = args
            changes = isinstance(flags, int) and flags & (os.O_CREAT | os.O_WRONLY)
        else:
            path, changes = args[0] if args else None, event in names
        if changes and str(path).startswith(root):
            act()

    sys.addaudithook(hook)


def in_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked process; its exit code, negative for a signal.

    0: done, 1: refused, 3: an environment problem, 9: anything else.
    """
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            work()
            code = 0
        except Refused:
            code = 1
        except EnvironmentProblem:
            code = 3
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_before_each_change(below: Path, work: Callable[[], None], inspect) -> int:
    """``work`` killed before change 1, 2, …, ``inspect(n)`` after each, until it comes through."""
    n = 0
    while True:
        n += 1
        left = n

        def countdown() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def doomed(countdown: Callable[[], None] = countdown) -> None:
            on_change(below, CHANGES, countdown)
            work()

        code = in_child(doomed)
        assert code in (0, -signal.SIGKILL), f"change {n}: exit {code}"
        inspect(n)
        if code == 0:
            return n - 1


def publish_stack(site, prefix, verdict, channel="nightly"):
    plan = plan_publish(prefix, verdict, site.repository, site.trusted, channel)
    return publish(plan, site.repository, site.key, site.trusted, site.progress)


def deploy_channel(site, binder, to):
    plan = plan_deploy(site.repository, site.root / to, site.trusted, channel="nightly")
    return deploy(plan, site.repository, binder, site.progress)


@pytest.fixture
def two(site, binder):
    """base-1 is published, promoted and deployed; base-2 is built and passed."""
    first, second = site.make_stack("base-1"), site.make_stack("base-2", {"lib/new": b"new" * 999})
    publish_stack(site, first, site.judge(first))
    deploy_channel(site, binder, "site")
    site.second = second
    site.verdict = site.judge(second)
    return site


def test_a_publish_killed_at_any_point_leaves_a_repository_that_deploys(two, binder, tmp_path):
    root = two.root / "repository"
    sound = tmp_path / "sound"
    shutil.copytree(root, sound)
    seen = set()

    def inspect(n: int) -> None:
        repository = DirectoryRepository(root)
        assert repository.verify(two.trusted) == []
        place = tmp_path / "place"
        deployed = deploy_channel(two, binder, place)
        stack = deployed.plan.judged.release.stack
        assert differences(place / "current", deployed.plan.judged.manifest) == []
        seen.add(stack)
        done = publish_stack(two, two.second, two.verdict)
        assert done.moved is not None or stack == "base-2"
        assert list((root / "transactions").iterdir()) == []
        assert standing(repository, "nightly", two.trusted).pointer.release == "base-2"
        shutil.rmtree(place)
        shutil.rmtree(root)
        shutil.copytree(sound, root)

    changes = killed_before_each_change(
        root, lambda: publish_stack(two, two.second, two.verdict), inspect
    )
    assert changes > 15
    assert seen == {"base-1", "base-2"}


def test_a_deploy_killed_at_any_point_leaves_a_version_that_works(two, binder, tmp_path):
    publish_stack(two, two.second, two.verdict)
    site, sound = two.root / "site", tmp_path / "sound"
    shutil.copytree(site, sound, symlinks=True)
    seen = set()

    def inspect(n: int) -> None:
        plan = plan_deploy(two.repository, site, two.trusted, channel="nightly")
        stack = (site / "current").readlink().name
        seen.add(stack)
        manifest = plan.judged.manifest
        if stack == "base-1":
            other = plan_deploy(two.repository, site, two.trusted, release="base-1")
            manifest = other.judged.manifest
        assert differences(site / "current", manifest) == []
        assert (site / "current/bin/python").exists()
        deploy_channel(two, binder, "site")
        assert (site / "current/lib/new").exists()
        assert differences(site / "current", plan.judged.manifest) == []
        left = [p.name for p in (*site.iterdir(), *(site / "versions").iterdir())]
        assert sorted(left) == sorted(
            [".fiducial", "base-1", "base-2", "channels", "current", "versions",
             "setup.csh", "setup.fish", "setup.sh"]
        )  # fmt: skip
        assert (site / "channels/nightly").readlink().name == "base-2"
        shutil.rmtree(site)
        shutil.copytree(sound, site, symlinks=True)

    changes = killed_before_each_change(site, lambda: deploy_channel(two, binder, "site"), inspect)
    assert changes > 15
    assert seen == {"base-1", "base-2"}


@pytest.mark.parametrize("action", ["publish", "deploy"])
def test_no_space_at_any_point_is_a_clear_error_that_changes_nothing(two, binder, tmp_path, action):
    if action == "deploy":
        publish_stack(two, two.second, two.verdict)
    below = two.root / ("repository" if action == "publish" else "site")
    sound = tmp_path / "sound"
    shutil.copytree(below, sound, symlinks=True)

    def work() -> None:
        if action == "publish":
            publish_stack(two, two.second, two.verdict)
        else:
            deploy_channel(two, binder, "site")

    n, code = 0, 3
    while code != 0:
        n += 1

        def starved(allowed: int = n) -> None:
            left = allowed

            def count() -> None:
                nonlocal left
                left -= 1
                if left <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            on_change(below, NEED_SPACE, count)
            work()

        code = in_child(starved)
        assert code in (0, 3), f"change {n}: exit {code}"
        assert two.repository.verify(two.trusted) == []
        assert list((two.root / "repository/transactions").iterdir()) == []
        if code == 3:
            assert not list(two.root.glob("site/versions/.*"))
            assert (two.root / "site/current").readlink().name in ("base-1", "base-2")
        shutil.rmtree(below)
        shutil.copytree(sound, below, symlinks=True)
    assert n > 8


def test_a_write_that_does_not_fit_is_a_clear_error(two, capfd):
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            publish_stack(two, two.second, two.verdict)
        except EnvironmentProblem as error:
            print(error)
            raise

    assert in_child(limited) == 3
    assert "cannot store objects in" in capfd.readouterr().out
    assert two.repository.verify(two.trusted) == []
    assert two.repository.releases() == ["base-1"]


@contextmanager
def small_disk(folder: Path, size: str):
    """A file system of ``size``; skipped where mounting is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_so_and_the_old_version_stays(two, binder, tmp_path):
    big = {f"lib/big-{i}": os.urandom(40_000) for i in range(20)}
    prefix = two.make_stack("base-3", big)
    publish_stack(two, prefix, two.judge(prefix))
    with small_disk(tmp_path / "small", "400k") as place:
        plan = plan_deploy(two.repository, place / "x", two.trusted, release="base-1")
        deploy(plan, two.repository, binder, two.progress)
        with pytest.raises(EnvironmentProblem, match="no space left") as caught:
            deploy_channel(two, binder, place / "x")
        assert caught.value.exit_code == 3
        assert (place / "x/current").readlink().name == "base-1"
        assert [entry.name for entry in (place / "x/versions").iterdir()] == ["base-1"]
        assert differences(place / "x/current", plan.judged.manifest) == []


def race(works: list[Callable[[], None]]) -> list[int]:
    """Run each in its own process, all released at the same moment; their exit codes."""
    ready, go = os.pipe(), os.pipe()
    pids = []
    for work in works:
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                os.close(go[1])
                os.write(ready[1], b".")
                os.read(go[0], 1)
                work()
                code = 0
            except Refused as refused:
                code = 1 if refused.kinds == {Refusal.CHANNEL_MOVED} else 8
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        pids.append(pid)
    for _ in pids:
        os.read(ready[0], 1)
    for end in (*ready, *go):
        os.close(end)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


@pytest.mark.parametrize("attempt", range(5))
def test_of_racing_publishers_one_wins_and_the_others_are_told(site, binder, results_of, attempt):
    plans = []
    base = site.make_stack("base-0")
    publish_stack(site, base, site.judge(base))
    for i, passed in enumerate((True, True, False, True), start=1):
        prefix = site.make_stack(f"base-{i}", {"lib/new": str(i).encode()})
        verdict = site.judge(prefix, results_of(passed=passed))
        plans.append(plan_publish(prefix, verdict, site.repository, site.trusted, "nightly"))
    codes = race([
        lambda plan=plan: publish(plan, site.repository, site.key, site.trusted, site.progress)
        for plan in plans
    ])  # fmt: skip
    assert codes[2] == 0  # the failed one is published, and asks for no channel
    assert sorted(codes[i] for i in (0, 1, 3)) == [0, 1, 1]
    now = standing(site.repository, "nightly", site.trusted)
    assert now.revision == 2
    winner = next(i for i in (0, 1, 3) if codes[i] == 0)
    assert now.pointer.release == f"base-{1 + winner}"
    assert site.repository.verify(site.trusted) == []
    assert len(site.repository.releases()) == 5
    deploy_channel(site, binder, "place")


def test_racing_publishers_of_the_same_stack_both_succeed(site, binder):
    prefix = site.make_stack("base-1")
    verdict = site.judge(prefix)
    plan = plan_publish(prefix, verdict, site.repository, site.trusted, "nightly")
    codes = race([
        lambda: publish(plan, site.repository, site.key, site.trusted, site.progress)
    ] * 3)  # fmt: skip
    assert codes == [0, 0, 0]
    assert standing(site.repository, "nightly", site.trusted).revision == 1


def test_a_failed_verdict_never_moves_a_channel_however_often_it_races(site, results_of):
    good = site.make_stack("base-1")
    publish_stack(site, good, site.judge(good))
    bad = site.make_stack("base-2", {"lib/new": b"2"})
    verdict = site.judge(bad, results_of(passed=False))
    plan = plan_publish(bad, verdict, site.repository, site.trusted, "nightly")
    race([
        lambda: publish(plan, site.repository, site.key, site.trusted, site.progress)
    ] * 6)  # fmt: skip
    now = standing(site.repository, "nightly", site.trusted)
    assert (now.revision, now.pointer.release) == (1, "base-1")
