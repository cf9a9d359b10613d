"""Run the checks and the tests, stage by stage: what ``make test`` and ``make check`` call.

A stage is a name, a group and a command. All stages run even when one fails, so that one run
tells everything; the exit code is 1 if any failed. ``--changed REV`` keeps only the tests of
the distributions that a change since REV touches, and of those that depend on them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PREFIX = "fiducial-"


@dataclass(frozen=True)
class Stage:
    name: str
    group: str
    command: tuple[str, ...]


def distributions() -> dict[str, Path]:
    """Name (without ``fiducial-``) and folder of every distribution of the workspace."""
    files = [*sorted(ROOT.glob("components/*/pyproject.toml"))]
    files += [ROOT / "validation/pyproject.toml", ROOT / "stack/pyproject.toml"]
    return {file.parent.name: file.parent for file in files}


def dependents(changed: set[str]) -> set[str]:
    """``changed`` and every distribution that depends on one of them, near or far."""
    needs: dict[str, set[str]] = {}
    for name, folder in distributions().items():
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        needs[name] = {
            line.removeprefix(PREFIX).split("[")[0].split(">")[0].split("=")[0].strip()
            for line in project["dependencies"]
            if line.startswith(PREFIX)
        }
    found = set(changed)
    while True:
        more = {name for name, wants in needs.items() if wants & found} - found
        if not more:
            return found
        found |= more


def changed_since(revision: str) -> set[str] | None:
    """Distributions touched since ``revision``; None when something shared was touched."""
    listing = subprocess.run(
        ["git", "diff", "--name-only", revision], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode:
        sys.exit(f"run.py: git does not know {revision!r}: {listing.stderr.strip()}")
    folders = {str(path.relative_to(ROOT)): name for name, path in distributions().items()}
    touched: set[str] = set()
    for line in listing.stdout.splitlines():
        owner = next((name for top, name in folders.items() if line.startswith(top + "/")), None)
        if owner is not None:
            touched.add(owner)
        elif not line.startswith("docs/"):
            return None
    return touched


def stages(jobs: int, changed: str | None) -> list[Stage]:
    """Every stage in order; tests limited to what ``changed`` reaches."""
    folders = distributions()
    tested = list(folders)
    if changed is not None and (touched := changed_since(changed)) is not None:
        tested = [name for name in folders if name in dependents(touched)]
    sources = [str(folder / "src") for folder in folders.values()]
    tests = [str(folders[name] / "tests") for name in tested]
    whole = [str(ROOT / place) for place in ("docs", "ci", "spack-repo") if (ROOT / place).is_dir()]
    python = sys.executable
    locks = [
        Stage(f"lock {name}", "check", (str(BIN / "fiducial"), "lock", name, "--check"))
        for name in ("base", "dev", "detector-study", "gpu")
    ]
    every = (str(BIN / "fiducial"), "lock", "--all", "--builder", "spack", "--check")
    locks.append(Stage("lock spack", "check", every))
    return [
        Stage("ruff", "check", (str(BIN / "ruff"), "check", ".")),
        Stage("format", "check", (str(BIN / "ruff"), "format", "--check", ".")),
        Stage("mypy", "check", (str(BIN / "mypy"), *sources)),
        Stage("imports", "check", (str(BIN / "lint-imports"), "--no-cache")),
        Stage("edm", "check", (str(BIN / "fiducial"), "edm", "check")),
        *locks,
        Stage("recipes", "check", (str(BIN / "fiducial"), "recipes", "check")),
        Stage("components", "check", (str(BIN / "fiducial"), "component", "check")),
        Stage(
            "tests",
            "test",
            (python, "-m", "pytest", "-q", "-n", str(jobs), "--dist", "loadfile", "--durations=15",
             *tests, *whole),
        ),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["check", "test"], help="one group of stages")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="test workers")
    parser.add_argument("--changed", metavar="REV", help="test only what changed since REV reaches")
    options = parser.parse_args()
    failed: list[str] = []
    for stage in stages(options.jobs, options.changed):
        if options.only in (None, stage.group):
            print(f"── {stage.name}: {' '.join(stage.command[:6])} …", flush=True)
            start = time.monotonic()
            code = subprocess.run(stage.command, cwd=ROOT).returncode
            outcome = "ok" if code == 0 else f"FAILED ({code})"
            print(f"   {outcome} in {time.monotonic() - start:.0f} s", flush=True)
            if code:
                failed.append(stage.name)
    print("failed: " + ", ".join(failed) if failed else "all stages passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
