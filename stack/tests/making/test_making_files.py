"""Files and directories are whole or absent, and progress is told on standard error only."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes, nearest
from fiducial.stack.files import (
    aside,
    remove_tree,
    replace_directory,
    sha256_bytes,
    sha256_file,
    sweep,
    write_atomically,
)
from fiducial.stack.progress import make_progress


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")

    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(EnvironmentProblem, match="no space left") as caught:
        write_atomically(path, fail)
    assert caught.value.exit_code == 3
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_of_a_written_file_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        write_atomically(tmp_path / "file", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("exchange", [True, False])
def test_a_directory_is_replaced_whole(
    tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr("fiducial.stack.files._exchange", lambda first, second: False)
    target, new = tmp_path / "target", aside(tmp_path / "target")
    for folder, text in ((target, "old"), (new, "new")):
        folder.mkdir()
        (folder / "file").write_text(text)
    replace_directory(new, target)
    assert (target / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "target"
    left = aside(target)
    left.mkdir()
    (left / "file").write_text("half")
    (left / "file").chmod(0o400)
    left.chmod(0o500)
    other = aside(tmp_path / "target2")
    other.mkdir()
    assert sweep(target) == [left]
    assert list(tmp_path.iterdir()) == [other]
    remove_tree(tmp_path / "absent")


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    assert sha256_file(tmp_path / "file") == sha256_bytes(data)


def test_errors_read_as_problem_reason_and_way_out() -> None:
    assert str(InputError("no such thing", "it was never made", "make it")) == (
        "no such thing (it was never made): make it"
    )
    both = Mistakes([Mistake("a:1", "bad", "try x"), Mistake("b:2", "worse")], "the file")
    assert str(both) == "2 mistakes in the file:\n  a:1: bad: try x\n  b:2: worse"
    assert isinstance(both, ValueError)
    assert isinstance(EnvironmentProblem("x"), OSError)
    assert nearest("fiducal-cor", ["fiducial-core", "numpy"]) == ["fiducial-core"]


def test_progress_as_json_lines_has_the_shape_of_the_contract() -> None:
    stream = io.StringIO()
    with make_progress(json_lines=True, stream=stream) as progress:
        with progress.phase("compile", 2) as task:
            task.advance(2)
        with pytest.raises(KeyError), progress.phase("fail"):
            raise KeyError
        progress.note("a word")
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert rows[0] == {"phase": "compile", "done": 0, "total": 2}
    assert {"phase": "compile", "done": 2, "total": 2} in rows
    assert any(row.get("phase") == "fail" and row.get("failed") for row in rows)
    assert rows[-1] == {"note": "a word"}


def test_progress_without_a_terminal_is_plain_lines() -> None:
    stream = io.StringIO()
    with make_progress(stream=stream) as progress, progress.phase("compile", 2) as task:
        task.advance(2)
    first, last = stream.getvalue().splitlines()
    assert first == "compile ..."
    assert last.startswith("compile: done in")
