"""Transactions: what is written, what is not, who wins, and what a kill or a full disk leaves."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import time
import traceback

import pytest

from fiducial.stack.cvmfs.compression import Encoder
from fiducial.stack.cvmfs.digest import Kind
from fiducial.stack.cvmfs.faults import FaultKind, Gravity
from fiducial.stack.cvmfs.gc import collect
from fiducial.stack.cvmfs.history import load
from fiducial.stack.cvmfs.nesting import NestingRule
from fiducial.stack.cvmfs.publish_lock import AnotherPublisher
from fiducial.stack.cvmfs.tree_scan import ScanPolicy
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes

from .conftest import EPOCH, settle, snapshot, write

SMALL = NestingRule(minimum=3)


def test_an_unchanged_tree_makes_no_revision(workshop, tree):
    first = workshop.publish(tree)
    before = workshop.objects()
    again = workshop.publish(tree)
    assert first.changed and not again.changed
    assert again.revision == first.revision == 2
    assert workshop.objects() == before


def test_the_same_stack_under_a_new_name_stores_no_file_again(workshop, tree):
    workshop.publish(tree, rule=SMALL)
    before = workshop.objects()
    workshop.publish(tree, b"/sw/2", rule=SMALL)
    assert all(name.endswith(("C", "H")) for name in workshop.objects() - before)


def test_the_same_tree_gives_the_same_catalogs_in_another_repository(make_workshop, tree):
    digests = []
    for name in ("one", "two"):
        workshop = make_workshop(name=name)
        workshop.publish(tree, rule=SMALL)
        digests.append(workshop.view().root.nested)
        time.sleep(1.1)  # another time of publication
    assert digests[0] == digests[1]


def test_a_change_of_one_package_writes_its_catalog_and_the_path_to_the_root(workshop, tree):
    workshop.publish(tree, rule=SMALL)
    workshop.publish(tree, b"/sw/2", rule=SMALL)
    before = workshop.objects()
    write(tree / "lib/python3.11/site-packages/alpha/m0.py", "changed = 1\n")
    settle(tree)
    workshop.publish(tree, rule=SMALL)
    new = sorted(name[-1] for name in workshop.objects() - before if name[-1].isupper())
    assert new == ["C", "C", "C", "H"]  # alpha, /sw/1, the root; the history
    assert workshop.view().read(b"/sw/2/lib/python3.11/site-packages/alpha/m0.py") == b"x = 0\n"
    assert workshop.check().faults == []


def test_a_dry_run_says_what_a_publish_then_writes(workshop, tree):
    before = workshop.objects()
    with workshop.repository.transaction(workshop.signer, dry_run=True) as transaction:
        transaction.put_tree(tree, b"/sw/1")
        planned = transaction.commit(dry_run=True)
    assert workshop.objects() == before
    assert workshop.view().manifest.revision == 1
    done = workshop.publish(tree)
    assert (planned.revision, planned.changed) == (done.revision, done.changed)
    assert planned.tally.new_objects == done.tally.new_objects


def test_a_path_is_removed_with_all_counters_right(workshop, tree):
    workshop.publish(tree, b"/sw/a/1", rule=SMALL)
    workshop.publish(tree, b"/sw/a/2", rule=SMALL)
    workshop.change(("put_symlink", b"/sw/latest", b"a/2"))
    workshop.change(("remove", b"/sw/a"))
    assert list(workshop.view().listing(b"/sw")) == [b"latest"]
    assert workshop.check().faults == []
    with pytest.raises(InputError, match="no /sw/a in the repository"):
        workshop.change(("remove", b"/sw/a"))


def test_a_tree_published_inside_another_changes_both(workshop, tree):
    workshop.publish(tree)
    workshop.publish(tree, b"/sw/1/extra/again")
    workshop.publish(tree, b"/sw/1/extra/more")
    workshop.change(("remove", b"/sw/1/extra/again"))
    assert workshop.view().lookup(b"/sw/1/extra").links == 3
    assert workshop.check().faults == []


def test_a_file_in_the_way_is_named(workshop, tree):
    workshop.publish(tree)
    with pytest.raises(InputError, match=r"/sw/1/setup\.sh is a file"):
        workshop.publish(tree, b"/sw/1/setup.sh/below")


def test_a_rollback_is_a_new_revision_with_the_old_tree(workshop, tree):
    workshop.publish(tree)
    workshop.change(("tag", "good"))
    write(tree / "setup.sh", "broken\n")
    workshop.publish(tree)
    outcome = workshop.change(("rollback", "good"))
    view = workshop.view()
    assert outcome.revision == view.manifest.revision == 4
    assert view.read(b"/sw/1/setup.sh") == b"export A=1\n"
    tags = {tag.name: tag.revision for tag in load(workshop.repository.storage, view.manifest)}
    assert tags == {"good": 2, "trunk": 4, "trunk-previous": 3}
    assert workshop.check().faults == []
    with pytest.raises(InputError, match=r"no tag 'god'.*did you mean good"):
        workshop.change(("rollback", "god"))


def test_tags_are_added_moved_and_removed_without_a_new_revision(workshop, tree):
    workshop.publish(tree)
    assert workshop.change(("tag", "v1", "first")).revision == 2
    with pytest.raises(InputError, match="exists"):
        workshop.change(("tag", "v1"))
    write(tree / "new", "1")
    workshop.publish(tree)
    workshop.change(("tag", "v1", "", True))
    tags = {tag.name: tag for tag in load(workshop.repository.storage, workshop.view().manifest)}
    assert tags["v1"].revision == 3
    workshop.change(("untag", "v1"))
    with pytest.raises(InputError, match="kept by publishing"):
        workshop.change(("tag", "trunk"))
    assert workshop.check().faults == []


def test_what_cannot_be_published_is_refused_all_at_once(workshop, tree):
    write(tree / "root-shell", "x", 0o4755)
    (tree / "variant").symlink_to("/opt/$(ARCH)")
    os.mkfifo(tree / "pipe")
    with pytest.raises(Mistakes) as caught:
        workshop.publish(tree)
    text = str(caught.value)
    assert "setuid" in text and "expand $(" in text and "2 mistakes" in text
    policy = ScanPolicy(setuid="drop", variants=True)
    workshop.publish(tree, policy=policy)
    assert workshop.view().lookup(b"/sw/1/root-shell").mode & 0o7777 == 0o755


def test_unreadable_modes_and_spread_hard_links_are_warned_of(workshop, tree):
    write(tree / "secret", "x", 0o600)
    os.link(tree / "setup.sh", tree / "bin/setup.sh")
    with workshop.repository.transaction(workshop.signer) as transaction:
        scanned = transaction.put_tree(tree, b"/sw/1")
    problems = " ".join(str(warning) for warning in scanned.warnings)
    assert "not everybody can read it" in problems and "hard link over directories" in problems


def test_one_time_for_all_files_makes_copies_equal(workshop, tree, tmp_path):
    import shutil

    workshop.publish(tree, policy=ScanPolicy(mtime=EPOCH))
    shutil.copytree(tree, tmp_path / "copy", symlinks=True, copy_function=shutil.copy)
    (tmp_path / "copy/setup-again.sh").unlink()
    os.link(tmp_path / "copy/setup.sh", tmp_path / "copy/setup-again.sh")
    assert not workshop.publish(tmp_path / "copy", policy=ScanPolicy(mtime=EPOCH)).changed


def test_a_settled_tree_is_not_read_again(workshop, tree):
    time.sleep(2.1)
    assert workshop.publish(tree).tally.read_files == 13
    assert workshop.publish(tree, b"/sw/2").tally.read_files == 0
    write(tree / "setup.sh", "export A=2\n")
    assert workshop.publish(tree).tally.read_files == 1


def test_a_damaged_index_is_made_anew(workshop, tree):
    workshop.publish(tree)
    (workshop.root / ".fiducial/index.sqlite").write_bytes(b"not a database" * 100)
    assert not workshop.publish(tree).changed


def test_an_index_that_names_removed_objects_is_not_believed(workshop, tree):
    workshop.publish(tree)
    entry = workshop.view().lookup(b"/sw/1/bin/run")
    (workshop.root / entry.digest().path(Kind.FILE)).unlink()
    workshop.publish(tree, b"/sw/2")
    assert workshop.check().faults == []


def test_of_two_publishers_one_wins_and_the_other_is_told(workshop, tree):
    with workshop.repository.transaction(workshop.signer) as first:
        with pytest.raises(AnotherPublisher, match=f"process {os.getpid()}"):
            workshop.publish(tree, b"/sw/2")
        first.put_tree(tree, b"/sw/1")
        first.commit()
    assert list(workshop.view().listing(b"/sw")) == [b"1"]


def test_a_publisher_that_lost_its_lock_is_stopped_by_the_fence(workshop, tree):
    with workshop.repository.transaction(workshop.signer) as slow:
        slow.put_tree(tree, b"/sw/slow")
        (workshop.root / ".fiducial/lock").unlink()  # a file system that lost it
        time.sleep(0.01)
        with pytest.raises((AnotherPublisher, EnvironmentProblem)):
            workshop.publish(tree, b"/sw/fast")
            slow.commit()
    assert b"slow" not in workshop.view().listing(b"/sw")
    report = workshop.check()
    assert report.sound, [str(fault) for fault in report.faults]


def run_in_child(action) -> int:
    """Run ``action`` in a child process and return its wait status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink"}


def on_change(root, number, strike, events=CHANGES):
    """Call ``strike`` at the ``number``-th change of the file system below ``root``."""
    seen = iter(range(1_000_000))

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in events:
            return
        else:
            path = arguments[0]
        if isinstance(path, (str, bytes, os.PathLike)) and os.fspath(path).startswith(
            os.fsencode(root) if isinstance(path, bytes) else str(root)
        ) and next(seen) == number:  # fmt: skip
            strike()

    sys.addaudithook(hook)


@pytest.mark.slow
def test_killed_before_any_change_the_old_or_the_new_revision_stands(make_workshop, tmp_path):
    small = tmp_path / "small"
    write(small / "a", "1")
    write(small / "d/b", "2")
    workshop = make_workshop()
    killed = 0
    for number in range(200):
        write(small / "a", f"{number}")
        old = workshop.view().manifest

        def publish(number=number):
            on_change(workshop.root, number, lambda: os._exit(9))
            workshop.publish(small)

        status = run_in_child(publish)
        now = workshop.view()
        assert now.manifest.revision in (old.revision, old.revision + 1)
        kinds = {f.kind for f in workshop.check().faults if f.kind.gravity is not Gravity.ADVICE}
        assert kinds <= {FaultKind.REFLOG_CHANGED, FaultKind.REFLOG_INCOMPLETE}
        if os.waitstatus_to_exitcode(status) == 0:
            break
        killed += 1
        outcome = workshop.publish(small)
        assert outcome.revision == old.revision + 1
        assert workshop.check().faults == []
        assert not list((workshop.root / "data/txn").iterdir())
    assert killed > 20
    collect(workshop.repository, workshop.signer, workshop.now)
    assert workshop.check().faults == []


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_revision(make_workshop, tmp_path):
    small = tmp_path / "small"
    write(small / "a", "1")
    workshop = make_workshop()
    failed = 0
    for number in range(200):
        write(small / "a", f"{number}")
        old = workshop.view().manifest

        def full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def publish(number=number, strike=full):
            on_change(workshop.root, number, strike, {"os.rename"})
            try:
                workshop.publish(small)
            except EnvironmentProblem as error:
                os._exit(7 if "no space left" in str(error) else 8)

        code = os.waitstatus_to_exitcode(run_in_child(publish))
        assert workshop.view().manifest.revision in (old.revision, old.revision + 1)
        if code == 0:
            assert workshop.view().manifest.revision == old.revision + 1
            break
        assert code == 7, (number, code)
        failed += 1
        workshop.publish(small)
        assert workshop.check().faults == []
    assert failed > 10


def test_a_source_that_changes_while_it_is_read_is_refused(workshop, tree, monkeypatch):
    import fiducial.stack.cvmfs.ingest as ingest

    original = ingest._read

    def touched(file):
        write(tree / "setup.sh", "export A=3 # longer\n")
        return original(file)

    monkeypatch.setattr(ingest, "_read", touched)
    with pytest.raises(InputError, match="changed while it was being published"):
        workshop.publish(tree)
    assert workshop.view().manifest.revision == 1
    assert not list((workshop.root / "data/txn").iterdir())


def test_gc_keeps_what_is_named_or_recent_and_removes_the_rest(workshop, tree):
    import datetime

    workshop.publish(tree)
    workshop.change(("tag", "keep"))
    for text in ("one\n", "two\n", "three\n"):
        write(tree / "setup.sh", text)
        workshop.publish(tree)
    later = workshop.now + datetime.timedelta(days=10)
    all_objects = workshop.objects()
    nothing = collect(workshop.repository, workshop.signer, workshop.now)
    assert nothing.objects == 0
    planned = collect(workshop.repository, workshop.signer, later, dry_run=True)
    assert workshop.objects() == all_objects
    done = collect(workshop.repository, workshop.signer, later)
    assert (done.objects, done.bytes) == (planned.objects, planned.bytes)
    assert done.objects == len(all_objects - workshop.objects()) > 0
    assert workshop.check().faults == []
    workshop.change(("rollback", "keep"))
    assert workshop.view().read(b"/sw/1/setup.sh") == b"export A=1\n"
    write(tree / "setup.sh", "one\n")  # its object is gone, the index must not say otherwise
    workshop.publish(tree)
    assert workshop.view().read(b"/sw/1/setup.sh") == b"one\n"
    assert workshop.check().faults == []


def test_catalogs_are_split_where_they_grow_too_large(workshop, tmp_path):
    root = tmp_path / "wide"
    for folder in range(6):
        for number in range(20):
            write(root / f"d{folder}/f{number}", f"{number}")
    workshop.publish(root, rule=NestingRule((), 10, maximum=50))
    view = workshop.view()
    for path, _ in view.walk(b"/sw/1"):
        catalog = view.holder(path, enter=True)
        assert catalog.statistics.entries <= 51
    assert workshop.check().faults == []


def test_a_marker_in_the_source_begins_a_catalog(workshop, tree):
    write(tree / "bin/.cvmfscatalog")
    workshop.publish(tree)
    catalog = workshop.view().holder(b"/sw/1", enter=True)
    assert b"/sw/1/bin" in catalog.nested
    assert workshop.check().faults == []


def test_the_index_is_kept_apart_for_each_encoder(tmp_path):
    from fiducial.stack.cvmfs.content_index import ContentIndex
    from fiducial.stack.cvmfs.digest import Algorithm

    path = tmp_path / "index.sqlite"
    ContentIndex(path, str(Encoder("zlib", 1)), Algorithm.SHA1).close()
    database = sqlite3.connect(path)
    database.execute("INSERT INTO contents VALUES (x'00', x'00', x'')")
    database.commit()
    database.close()
    index = ContentIndex(path, str(Encoder("zlib", 2)), Algorithm.SHA1)
    assert index.lookup(b"\0") is None
    index.close()


def test_snapshot_sees_differences(tree):
    before = snapshot(tree)
    write(tree / "setup.sh", "other")
    assert snapshot(tree) != before
