"""What is published comes back: by extraction, by reading, over HTTP, for any tree."""

# ruff: noqa: PTH101, PTH102, PTH123, PTH211

from __future__ import annotations

import functools
import http.server
import os
import random
import shutil
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiducial.stack.cvmfs.compression import Encoder
from fiducial.stack.cvmfs.digest import Algorithm
from fiducial.stack.cvmfs.extract import ExtractPolicy, extract
from fiducial.stack.cvmfs.http_source import open_source
from fiducial.stack.cvmfs.nesting import NestingRule
from fiducial.stack.cvmfs.path_hash import show
from fiducial.stack.cvmfs.reader import RepositoryView
from fiducial.stack.cvmfs.revision import Demands, read_revision
from fiducial.stack.cvmfs.tree_scan import ScanPolicy
from fiducial.stack.errors import InputError

from .conftest import EPOCH, NAME, settle, snapshot, write

ANY_LINK = ExtractPolicy(outside_links=True, setuid=True)


@pytest.mark.parametrize(
    "encoder", [Encoder("zlib", 6), Encoder("zlib-ng", 5), Encoder("isal", 2), Encoder("none", 0)]
)
def test_every_encoder_gives_back_the_tree(make_workshop, tree, tmp_path, encoder):
    workshop = make_workshop(encoder)
    workshop.publish(tree)
    extract(workshop.view(), b"/sw/1", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert workshop.check().sound


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_digest_algorithm_gives_back_the_tree(make_workshop, tree, tmp_path, algorithm):
    workshop = make_workshop(algorithm=algorithm)
    workshop.publish(tree, rule=NestingRule(minimum=3))
    extract(workshop.view(), b"/sw/1", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert workshop.check().faults == []


def test_a_large_file_is_stored_in_chunks_and_comes_back(workshop, tmp_path):
    root = tmp_path / "large"
    data = random.Random(5).randbytes(21 << 20)
    write(root / "library.so", data)
    write(root / "copy.so", data)
    workshop.publish(root)
    entry = workshop.view().lookup(b"/sw/1/library.so")
    assert len(entry.chunks) > 1 and entry.raw is None
    assert workshop.view().read(b"/sw/1/library.so") == data
    assert len([name for name in workshop.objects() if name.endswith("P")]) == len(entry.chunks)
    assert workshop.check().faults == []


def test_extended_attributes_come_back(workshop, tree, tmp_path):
    try:
        os.setxattr(tree / "setup.sh", "user.colour", b"green")
        os.setxattr(tree / "bin", "user.note", b"\x00\xff")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    settle(tree)
    workshop.publish(tree)
    extract(workshop.view(), b"/sw/1", tmp_path / "out")
    assert os.getxattr(tmp_path / "out/setup.sh", "user.colour") == b"green"
    assert os.getxattr(tmp_path / "out/bin", "user.note") == b"\x00\xff"
    assert workshop.check().faults == []


def test_an_extraction_goes_on_where_it_was_left(workshop, tree, tmp_path):
    workshop.publish(tree)
    out = tmp_path / "out"
    first = extract(workshop.view(), b"/sw/1", out)
    (out / "setup.sh").unlink()
    (out / "bin/run").write_text("half")
    again = extract(workshop.view(), b"/sw/1", out)
    assert first.reused == 0 and again.files == 1  # the other name of setup.sh was there
    assert snapshot(out) == snapshot(tree)


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve(workshop):
    """The workshop's repository behind a web server."""
    handler = functools.partial(Quiet, directory=str(workshop.root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_repository_is_read_and_checked_over_http(workshop, tree, tmp_path, serve):
    from fiducial.stack.cvmfs.check import check_repository

    workshop.publish(tree)
    source = open_source(serve)
    demands = Demands(workshop.masters, NAME, workshop.now)
    view = RepositoryView(source, read_revision(source, demands))
    assert view.read(b"/sw/1/setup.sh") == b"export A=1\n"
    extract(view, b"/sw/1", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert check_repository(source, workshop.masters, workshop.now).faults == []


def test_a_path_that_is_not_there_names_the_nearest(workshop, tree):
    workshop.publish(tree)
    with pytest.raises(InputError, match=r"did you mean /sw/1/setup.sh"):
        workshop.view().lookup(b"/sw/1/setop.sh")
    with pytest.raises(InputError, match="no directory"):
        workshop.view().listing(b"/sw/1/setup.sh")


def test_the_whole_repository_can_be_one_tree(workshop, tree, tmp_path):
    workshop.publish(tree, b"")
    extract(workshop.view(), b"", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert not workshop.publish(tree, b"").changed
    assert workshop.check().faults == []


def test_nanoseconds_are_kept_where_they_are_wanted(workshop, tree):
    os.utime(tree / "empty", ns=(EPOCH * 10**9 + 5, EPOCH * 10**9 + 5))
    workshop.publish(tree, policy=ScanPolicy(nanoseconds=True))
    assert workshop.view().lookup(b"/sw/1/empty").mtimens == 5


NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: (
        b"/" not in name and b"\0" not in name and name not in (b".", b"..", b".cvmfscatalog")
    )
)
MODES = st.sampled_from([0o644, 0o755, 0o4755, 0o600, 0o000])
LEAVES = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=300), MODES),
    st.tuples(st.just("link"), st.binary(min_size=1, max_size=60).filter(lambda t: b"\0" not in t)),
    st.tuples(st.just("twin"), st.binary(max_size=20)),
    st.tuples(st.just("fifo")),
)  # fmt: skip
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=5),
    lambda below: st.dictionaries(NAMES, st.one_of(LEAVES, below), max_size=4),
    max_leaves=20,
)


def plant(folder: bytes, tree: dict) -> None:
    os.mkdir(folder)
    for name, item in tree.items():
        path = folder + b"/" + name
        if isinstance(item, dict):
            plant(path, item)
        elif item[0] == "link":
            os.symlink(item[1], path)
        elif item[0] == "fifo":
            os.mkfifo(path, 0o644)
        else:
            with open(path, "wb") as stream:
                stream.write(item[1])
            if item[0] == "file":
                os.chmod(path, item[2])
            elif len(name) < 30 and not os.path.lexists(path + b"+"):
                os.link(path, path + b"+") if name + b"+" not in tree else None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=TREES, minimum=st.sampled_from([1, 3, 1000]))
def test_any_tree_comes_back(make_workshop_once, tree, minimum):
    workshop = make_workshop_once
    folder = Path(tempfile.mkdtemp(dir=workshop.folder))
    try:
        plant(os.fsencode(folder / "tree"), tree)
        settle(folder / "tree")
        rule = NestingRule(("*", "*/*"), minimum, maximum=6)
        policy = ScanPolicy(setuid="keep", variants=True)
        workshop.publish(folder / "tree", b"/any", policy=policy, rule=rule)
        extract(workshop.view(), b"/any", folder / "out", ANY_LINK)
        assert snapshot(folder / "out") == snapshot(folder / "tree")
        report = workshop.check()
        assert report.faults == [], [str(fault) for fault in report.faults]
        for path, entry in workshop.view().walk(b"/any"):
            if entry.is_regular:
                assert len(workshop.view().read(path)) == entry.size, show(path)
    finally:
        shutil.rmtree(folder)
