"""Judged by CernVM-FS itself: its checker, its scrubber, its client, its replication.

Skipped where ``cvmfs_swissknife`` or ``cvmfs2`` is not on PATH, or where nothing can be mounted.
"""

# ruff: noqa: PTH110, PTH123

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time

import pytest

from fiducial.stack.cvmfs.compression import Encoder
from fiducial.stack.cvmfs.digest import Algorithm
from fiducial.stack.cvmfs.nesting import NestingRule

from .conftest import NAME, settle, snapshot, write

KNIFE, CLIENT = shutil.which("cvmfs_swissknife"), shutil.which("cvmfs2")
needs_knife = pytest.mark.skipif(KNIFE is None, reason="cvmfs_swissknife is not on PATH")
needs_client = pytest.mark.skipif(
    CLIENT is None or os.geteuid() != 0 or not os.path.exists("/dev/fuse"),
    reason="cvmfs2 is not on PATH, or nothing can be mounted here",
)


@pytest.fixture
def rich_tree(tree):
    """The small tree, and what is special: chunks, odd names, deep folders."""
    write(tree / "large.so", random.Random(3).randbytes(19 << 20))
    write(tree / "caf\u00e9 and a long name" / "with\nnewline", "odd\n")
    write(tree / "/".join(["deep"] * 20) / "file", "deep\n")
    with open(os.fsencode(tree) + b"/not\xffutf8", "w") as stream:
        stream.write("bytes\n")
    settle(tree)
    return tree


def knife(*arguments):
    return subprocess.run([KNIFE, *map(str, arguments)], capture_output=True, text=True)


def judge(workshop, scratch):
    scratch.mkdir(exist_ok=True)
    done = knife(
        "check", "-r", workshop.root, "-t", scratch, "-N", NAME, "-c",
        "-k", workshop.keys.master_public,
    )  # fmt: skip
    assert done.returncode == 0 and "no problems found" in done.stdout, done.stdout + done.stderr
    scrubbed = knife("scrub", "-r", workshop.root / "data")
    assert scrubbed.returncode == 0, scrubbed.stdout + scrubbed.stderr


@needs_knife
@pytest.mark.parametrize(
    ("encoder", "algorithm"),
    [
        (Encoder("zlib-ng", 5), Algorithm.SHA1),
        (Encoder("isal", 2), Algorithm.SHAKE128),
        (Encoder("zlib", 6), Algorithm.RIPEMD160),
    ],
)
def test_the_real_checker_finds_nothing(make_workshop, rich_tree, tmp_path, encoder, algorithm):
    workshop = make_workshop(encoder, algorithm)
    judge(workshop, tmp_path / "scratch")
    workshop.publish(rich_tree, rule=NestingRule(minimum=3))
    workshop.change(("put_symlink", b"/sw/latest", b"1"), ("tag", "v1"))
    judge(workshop, tmp_path / "scratch")
    workshop.publish(rich_tree, b"/other/2")
    workshop.change(("remove", b"/sw/1"))
    workshop.change(("rollback", "v1"))
    judge(workshop, tmp_path / "scratch")


@pytest.fixture
def mounted(make_workshop, rich_tree, tmp_path):
    """A repository, mounted by the real client."""
    workshop = make_workshop(Encoder("zlib-ng", 5))
    workshop.publish(rich_tree, rule=NestingRule(minimum=3))
    cache, mountpoint = tmp_path / "cache", tmp_path / "mnt"
    cache.mkdir()
    mountpoint.mkdir()
    settings = {
        "CVMFS_SERVER_URL": f"file://{workshop.folder}/@fqrn@", "CVMFS_HTTP_PROXY": "DIRECT",
        "CVMFS_PUBLIC_KEY": workshop.keys.master_public, "CVMFS_CACHE_BASE": cache,
        "CVMFS_RELOAD_SOCKETS": cache, "CVMFS_SHARED_CACHE": "no", "CVMFS_NFILES": "1024",
        "CVMFS_CHECK_PERMISSIONS": "no",
    }  # fmt: skip
    config = cache / "config"
    config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    done = subprocess.run(
        [CLIENT, "-o", f"config={config}", NAME, str(mountpoint)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield workshop, mountpoint
    subprocess.run(["umount", "-l", str(mountpoint)], check=True)
    time.sleep(0.5)


@needs_client
def test_the_real_client_reads_back_every_byte_mode_time_and_link(mounted, rich_tree):
    _, mountpoint = mounted
    seen = snapshot(mountpoint / "sw/1")
    markers = [path for path in seen if path.endswith(b"/.cvmfscatalog")]
    for path in markers:
        del seen[path]
    assert markers and seen == snapshot(rich_tree)


@needs_knife
def test_the_real_replication_copies_it(make_workshop, rich_tree, tmp_path):
    import functools
    import http.server
    import threading

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    workshop = make_workshop(Encoder("zlib-ng", 5))
    workshop.publish(rich_tree)
    handler = functools.partial(Quiet, directory=str(workshop.folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    replica = tmp_path / "replica"
    for number in range(256):
        (replica / f"data/{number:02x}").mkdir(parents=True)
    (replica / "data/txn").mkdir()
    (tmp_path / "scratch").mkdir()
    try:
        done = knife(
            "pull", "-u", f"http://127.0.0.1:{server.server_port}/{NAME}", "-m", NAME,
            "-w", "http://127.0.0.1/replica",
            "-r", f"local,{replica / 'data/txn'},{replica}", "-k", workshop.keys.master_public,
            "-x", tmp_path / "scratch", "-n", "2", "-t", "10", "-a", "2",
        )  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stdout + done.stderr
    copied = {str(p.relative_to(replica)) for p in (replica / "data").rglob("*") if p.is_file()}
    assert {name for name in copied if "/txn/" not in name} <= workshop.objects()
    from fiducial.stack.cvmfs.check import check_repository
    from fiducial.stack.cvmfs.storage import DirectoryStorage

    report = check_repository(DirectoryStorage(replica), workshop.masters, workshop.now, NAME)
    unsound = {fault.kind.words for fault in report.faults if fault.kind.gravity.value == "refusal"}
    assert report.objects > 10 and not unsound, [str(fault) for fault in report.faults]
