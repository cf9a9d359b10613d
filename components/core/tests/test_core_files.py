"""A write either replaces the whole file, or leaves the old one and no litter."""

import errno
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from fiducial.core import files
from fiducial.core.errors import EnvironmentProblem
from fiducial.core.files import replace_directory, sha256_file, staged_file, write_atomically


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_text_bytes_and_a_function_can_be_written(tmp_path):
    path = tmp_path / "x"
    for data, content in [("é", "é".encode()), (b"\0", b"\0"), (lambda s: s.write(b"f"), b"f")]:
        write_atomically(path, data)
        assert path.read_bytes() == content
    assert names(tmp_path) == ["x"]


def test_a_failing_writer_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")

    def writer(stream):
        stream.write(b"half")
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        write_atomically(path, writer)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_the_file_gets_the_permissions_of_a_new_file(tmp_path):
    write_atomically(tmp_path / "x", "")
    (tmp_path / "y").write_text("")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_found_at_fsync_is_one_clear_error(tmp_path, monkeypatch, code):
    path = tmp_path / "x"
    path.write_text("old")

    def fsync(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(EnvironmentProblem, match=f"cannot write {path}") as caught:
        write_atomically(path, "new")
    assert caught.value.exit_code == 3
    assert caught.value.errno == code
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_a_file_beyond_the_size_limit_is_one_clear_error(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(EnvironmentProblem, match="file too large"):
            write_atomically(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a tiny disk")
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_really_full_disk_is_one_clear_error(tiny_disk):
    path = tiny_disk / "x"
    path.write_text("old")
    with pytest.raises(EnvironmentProblem, match="no space left on device") as caught:
        write_atomically(path, b"x" * 1_000_000)
    assert "free some space" in str(caught.value)
    assert path.read_text() == "old"
    assert names(tiny_disk) == ["x"]


def test_a_missing_directory_and_a_directory_as_target_are_refused(tmp_path):
    with pytest.raises(EnvironmentProblem, match="no such file or directory"):
        write_atomically(tmp_path / "no" / "x", "")
    with pytest.raises(EnvironmentProblem, match="is a directory"):
        write_atomically(tmp_path, "")


def test_an_error_about_another_file_is_not_blamed_on_the_target(tmp_path):
    with pytest.raises(FileNotFoundError), staged_file(tmp_path / "x"):
        (tmp_path / "other").read_text()


KILLED = """
import sys, time
from fiducial.core.files import staged_file
with staged_file(sys.argv[1]) as staged:
    staged.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_the_next_write_removes_what_a_killed_writer_left_but_not_a_living_one(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    writers = [
        subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    writers[0].kill()
    writers[0].wait()
    assert len(names(tmp_path)) == 3
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert len(names(tmp_path)) == 2, "the living writer's file must stay"
    writers[1].kill()
    writers[1].wait()
    write_atomically(path, "newer")
    assert names(tmp_path) == ["x"]


def test_many_writers_leave_one_whole_file(tmp_path):
    path = tmp_path / "x"
    script = textwrap.dedent("""
        import sys
        from fiducial.core.files import write_atomically
        for _ in range(50):
            write_atomically(sys.argv[1], sys.argv[2] * 10_000)
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), c]) for c in "abc"]
    seen = set()
    while any(w.poll() is None for w in writers):
        if path.exists():
            text = path.read_text()
            assert len(text) == 10_000
            assert len(set(text)) == 1
            seen.add(text[0])
    assert all(w.wait() == 0 for w in writers)
    assert seen <= set("abc")
    assert names(tmp_path) == ["x"]


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_file(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    with pytest.raises(EnvironmentProblem, match="cannot read"):
        sha256_file(tmp_path / "none")


@pytest.mark.parametrize("exchange", [True, False])
def test_a_directory_is_replaced_as_a_whole(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    new, target = tmp_path / "new", tmp_path / "target"
    for content in ("first", "second"):
        (new / "deep").mkdir(parents=True)
        (new / "deep" / "f").write_text(content)
        replace_directory(new, target)
        assert (target / "deep" / "f").read_text() == content
        assert names(tmp_path) == ["target"]


def test_a_directory_that_cannot_be_replaced_is_one_clear_error(tmp_path):
    with pytest.raises(EnvironmentProblem, match="cannot replace"):
        replace_directory(tmp_path / "none", tmp_path / "target")
