"""Programs of a prefix: one form, whichever installer wrote them, and it finds its own Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem, Mistakes
from fiducial.stack.launchers import entry_scripts, relocated, render_launcher, write_launchers

BODY = b"import sys\nprint(sys.prefix)\n"
LONG = "/" + "deep/" * 60
HEAD = render_launcher("m:f").split(b"# -*-")[0]


@pytest.mark.parametrize(
    "first",
    [
        b"#!/opt/store/python-venv-1.0-abc/bin/python3\n",
        b"#!/usr/bin/python3.11 \n",
        f"#!/bin/sh\n'''exec' {LONG}python3 \"$0\" \"$@\"\n' '''\n".encode(),
        b"#!/bin/sh\n# coding: UTF-8\n'''exec' \"$(dirname -- \"$0\")\"/x \"$0\" \"$@\"\n' '''\n",
        f"#!/bin/sh /store/sbang\n#!{LONG}bin/python3\n".encode(),
        HEAD,
    ],
)
def test_every_first_line_that_installers_write_becomes_the_same(first: bytes) -> None:
    assert relocated(first + BODY) == HEAD + BODY


@pytest.mark.parametrize("data", [b"#!/bin/bash\necho\n", b"#!/usr/bin/perl\n", b"\x7fELF", b""])
def test_what_is_no_python_script_is_left_alone(data: bytes) -> None:
    assert relocated(data) is None


def test_a_script_in_another_encoding_still_says_so_where_python_looks() -> None:
    found = relocated(b"#!/usr/bin/python3\n# -*- coding: latin-1 -*-\n" + BODY)
    assert found is not None and found.split(b"\n")[1] == b"# coding: latin-1"
    compile(found, "script", "exec")


def test_the_launcher_is_the_one_that_uv_writes(tmp_path: Path, toy_stack: Path) -> None:
    info = next(toy_stack.glob("lib/python*/site-packages/fiducial_alpha-*.dist-info"))
    assert entry_scripts(info) == {"alpha": "fiducial.alpha:main"}
    script = (toy_stack / "bin" / "alpha").read_bytes()
    assert script == render_launcher("fiducial.alpha:main")


def test_a_launcher_runs_through_links_and_calls_attributes_of_the_module(tmp_path: Path) -> None:
    (tmp_path / "a b" / "bin").mkdir(parents=True)
    info = tmp_path / "a b" / "toy-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(
        "[console_scripts]\nsay = os:path.basename [extra]\nCased=platform:node\n"
        "[gui_scripts]\nseen=platform:node\n[other]\nnot-a-program = a:b\n"
    )
    written = write_launchers(tmp_path / "a b", info, [])
    assert sorted(written) == ["Cased", "say", "seen"]
    (tmp_path / "a b" / "bin" / "python").symlink_to(sys.executable)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a b" / "bin" / "Cased")
    done = subprocess.run([link], capture_output=True, text=True)
    assert done.stderr.strip() == os.uname().nodename  # sys.exit(the answer)


def test_entry_points_that_cannot_be_programs_are_refused(tmp_path: Path) -> None:
    info = tmp_path / "toy-1.dist-info"
    info.mkdir()
    (tmp_path / "bin").mkdir()
    (info / "entry_points.txt").write_text("[console_scripts]\n../out = a:b\nbad = nothing\n")
    with pytest.raises(Mistakes) as caught:
        write_launchers(tmp_path, info, [])
    assert "'../out' is no name" in str(caught.value) and "'nothing' is not" in str(caught.value)
    (info / "entry_points.txt").write_text("no section\n")
    with pytest.raises(EnvironmentProblem, match="entry points are not readable"):
        write_launchers(tmp_path, info, [])
