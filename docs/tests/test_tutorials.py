"""Tutorials stay true: every ```sh block of a tutorial runs, in order, in one empty folder.

A tutorial whose first line is ``<!-- by hand: REASON -->`` is not run here, for that reason.
A block that must fail says so in its info string: ```sh fails=2 means exit code 2.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parents[1] / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```sh(?: fails=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_there_are_tutorials() -> None:
    assert TUTORIALS


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_of_the_tutorial_runs(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    if by_hand := re.match(r"<!-- by hand: (.*?) -->", text):
        pytest.skip(by_hand.group(1))
    blocks = BLOCK.findall(text)
    assert blocks, f"{page.name} has no ```sh block"
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for code, commands in blocks:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", commands],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == int(code or 0), f"{commands}\n{done.stdout}\n{done.stderr}"
