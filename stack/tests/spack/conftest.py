"""A stand-in for Spack: a small program, written by a test, that says and does what Spack would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

VERSION = "1.2.0.dev0 (9cf66332df3dd988248617fc93400045be59ebab)"


@pytest.fixture
def fake_spack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``fake_spack(body, version=...)`` puts a program ``spack`` on PATH; ``body`` is Python that
    finds its arguments, without those before the command's name, in ``arguments``."""

    def make(body: str = "", version: str = VERSION) -> Path:
        program = tmp_path / "fake" / "bin" / "spack"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(
            f"#!{sys.executable} -IS\n"
            "import sys, os, time, signal\n"
            "arguments = sys.argv[1:]\n"
            "if arguments == ['--version']:\n"
            f"    print({version!r})\n"
            "    sys.exit(0)\n"
            "while arguments and arguments[0] in ('-e', '-C', '-E'):\n"
            "    del arguments[: 1 if arguments[0] == '-E' else 2]\n"
            "def die(text, code=1):\n"
            "    print('==> Error: ' + text, file=sys.stderr)\n"
            "    sys.exit(code)\n" + body
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        monkeypatch.delenv("SPACK_ROOT", raising=False)
        return program

    return make
