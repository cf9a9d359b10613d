"""Modules that real Spack makes with environments/common/release: named, hidden, and loadable."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from spack_site import SPACK, Site

pytestmark = [pytest.mark.spack, pytest.mark.slow, pytest.mark.network]

ENVIRONMENT = """
spack:
  include:
  - {name: host, path: ../host, optional: true, prefer_modify: true}
  - ../common/release
  - ../common
  specs: [py-rich]
  view: false
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed environment of few wheels, and its modules below a folder of the test's own."""
    scratch = tmp_path_factory.mktemp("modules")
    site = Site(scratch)
    site.follow("Say what the host has")
    folder = site.checkout / "environments/few"
    folder.mkdir()
    (folder / "spack.yaml").write_text(ENVIRONMENT)

    def spack(*arguments: str | Path) -> None:
        site.run(str(SPACK), "-e", folder, *arguments)

    spack("concretize")
    spack("install", "--fail-fast")
    roots = {kind: scratch / kind for kind in ("tcl", "lmod")}
    for kind, root in roots.items():
        spack("config", "add", f"modules:default:roots:{kind}:{root}")
    for kind in roots:
        spack("module", kind, "refresh", "-y")
    return scratch


def found(modules: Path, kind: str, name: str) -> list[Path]:
    return sorted(path for path in (modules / kind).rglob(f"{name}/*") if path.name[0] != ".")


def test_what_was_asked_for_has_a_plain_name_and_the_rest_is_hidden(modules: Path) -> None:
    (tcl,), (lmod,) = found(modules, "tcl", "py-rich"), found(modules, "lmod", "py-rich")
    assert "-" not in tcl.name
    assert lmod.name == f"{tcl.name}.lua"
    for kind, mark in (("tcl", ".modulerc"), ("lmod", ".modulerc.lua")):
        (needed,) = found(modules, kind, "py-pygments")
        assert "-" in needed.name
        hidden = (needed.parent / mark).read_text()
        assert "hide" in hidden
        assert needed.name.removesuffix(".lua") in hidden


def load(root: Path, name: str, environment: dict[str, str], seen: set[str]) -> None:
    """Load a Tcl module and those that it needs, as Environment Modules does."""
    tkinter = pytest.importorskip("tkinter")
    if name in seen:
        return
    seen.add(name)
    (path,) = root.glob(f"*/{name}")
    tcl = tkinter.Tcl()
    tcl.eval("unset ::env; array set ::env {}")
    tcl.createcommand("module-whatis", lambda *_: "")
    tcl.createcommand("module", lambda _, other: load(root, other, environment, seen) or "")

    def prepend(variable: str, *words: str) -> str:
        value = words[-1]
        environment[variable] = f"{value}:{environment.get(variable, '')}".strip(":")
        return ""

    tcl.createcommand("prepend-path", prepend)
    tcl.createcommand("append-path", prepend)
    tcl.createcommand("setenv", lambda key, value: environment.update({key: value}) or "")
    tcl.evalfile(str(path))


def test_a_loaded_module_finds_all_that_it_needs(modules: Path) -> None:
    (rich,) = found(modules, "tcl", "py-rich")
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.devnull}
    load(modules / "tcl", f"py-rich/{rich.name}", environment, set())
    code = "import rich, pygments, markdown_it; print(rich.__file__, pygments.__file__)"
    python = ["python3", "-c", code]
    done = subprocess.run(python, env=environment, capture_output=True, text=True, check=True)
    assert all("/py-" in place for place in done.stdout.split())
