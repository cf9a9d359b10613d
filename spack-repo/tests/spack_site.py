"""A host with real Spack: a copy of the checkout, a home and an install tree of its own.

What the how-to page says is read from the page and done to the letter. Everything happens below
one scratch folder, and the user's Spack configuration is left out. FIDUCIAL_TEST_SPACK_STORE names
an install tree to keep, which spares installing the wheels again.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fiducial.stack.workspace import find_workspace

WORKSPACE = find_workspace(Path(__file__).parent)
PAGE = WORKSPACE.root / "docs/how-to/install-with-spack.md"
PYTHON = Path(sys.base_prefix, "bin")
KEPT = ("SPACK_", "SSL_", "UV_", "NETRC", "HTTP", "http", "ALL_", "all_", "NO_", "no_")
"""Variables that pass from the caller: where Spack is, and how the package index is reached."""
PLACES = ("components", "environments", "spack-repo", "stack", "validation")
"""What of the checkout concerns Spack."""


def find_spack() -> str | None:
    """The program: ``spack`` on PATH, else the one of SPACK_ROOT."""
    root = os.environ.get("SPACK_ROOT")
    named = str(Path(root, "bin/spack")) if root else ""
    return shutil.which("spack") or (named if Path(named).is_file() else None)


SPACK = find_spack()


def host_system() -> str:
    """Distribution and version, as Spack joins them: ``debian12``; "" where it is not told."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release["ID"] + release.get("VERSION_ID", "")


def copy_checkout(target: Path) -> Path:
    """What git would commit of the checkout, as it stands, in a folder of its own."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PLACES]
    files = subprocess.run(listing, cwd=WORKSPACE.root, capture_output=True, text=True, check=True)
    for name in filter(None, files.stdout.split("\0")):
        if (WORKSPACE.root / name).is_file():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(WORKSPACE.root / name, copy)
    return target


def give_history(checkout: Path) -> None:
    """Put git's history into a copy: the archives of released components are made from it."""
    if (WORKSPACE.root / ".git").exists():
        aside = checkout.with_name("history")
        clone = ["git", "clone", "--quiet", "--shared", "--no-checkout", WORKSPACE.root, aside]
        subprocess.run(clone, check=True)
        (aside / ".git").rename(checkout / ".git")


class Site:
    """A copy of the checkout on a host with Spack and one Python, in a home of its own."""

    def __init__(self, scratch: Path, python: Path = PYTHON) -> None:
        self.checkout, self.home = copy_checkout(scratch / "checkout"), scratch / "home"
        self.base = self.checkout / "environments" / "base"
        store = os.environ.get("FIDUCIAL_TEST_SPACK_STORE") or str(scratch / "store")
        cache = os.environ.get("SPACK_USER_CACHE_PATH") or str(Path.home() / ".spack")
        ours = Path(sys.executable).parent  # where `fiducial` is, behind the Python that is meant
        places = [Path(str(SPACK)).parent, python, "/usr/bin", "/bin", ours]
        self.environment = {
            **{key: value for key, value in os.environ.items() if key.startswith(KEPT)},
            "PATH": ":".join(map(str, places)),
            "HOME": str(self.home),
            "STORE": store,
            "MIRROR": str(scratch / "mirror"),
            "SPACK_DISABLE_LOCAL_CONFIG": "1",
            "SPACK_USER_CACHE_PATH": cache,
            "NO_COLOR": "1",
        }
        self.environment.pop("SPACK_ENV", None)
        self.home.mkdir()

    def run(self, *command: str | Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in the checkout; its output is in the failure where ``ok`` and it fails."""
        done = subprocess.run(
            [str(word) for word in command],
            input="", capture_output=True, text=True, env=self.environment, cwd=self.checkout,
        )  # fmt: skip
        assert not ok or done.returncode == 0, f"{command}\n{done.stdout[-6000:]}{done.stderr}"
        return done

    def follow(self, heading: str, page: Path = PAGE) -> None:
        """Do what the how-to page says under ``heading``, to the letter."""
        section = page.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
        blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        assert blocks, f"nothing to do under {heading!r}"
        for block in blocks:
            self.run("bash", "-eu", "-o", "pipefail", "-c", block)

    def spack(self, *arguments: str | Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Spack in the base environment."""
        return self.run(str(SPACK), "-e", self.base, *arguments, ok=ok)

    def lock(self) -> dict[str, Any]:
        """Nodes of the concretized environment by name."""
        nodes = json.loads((self.base / "spack.lock").read_text())["concrete_specs"].values()
        assert len({node["name"] for node in nodes}) == len(nodes), "unify: one of each"
        return {node["name"]: node for node in nodes}
