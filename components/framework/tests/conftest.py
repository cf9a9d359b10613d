"""The toy steps as an installed distribution, visible to this process and to its workers."""

import os
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"

METADATA = """\
Metadata-Version: 2.1
Name: framework-toys
Version: 1.2
Provides-Extra: exotic
Requires-Dist: not-installed-anywhere>=1; extra == "exotic"
"""

ENTRY_POINTS = """\
[fiducial.steps]
toy_source = framework_toy_steps:Source
toy_blocks = framework_toy_steps:Blocks
toy_smear = framework_toy_steps:Smear
toy_at_least = framework_toy_steps:AtLeast
toy_observe = framework_toy_steps:Observe
toy_trouble = framework_toy_steps:Trouble
toy_exotic = framework_toy_broken:Exotic
toy_no_step = framework_toy_steps:note

[fiducial.chains]
toys = framework_toy_chains:directory
"""

CHAINS = """\
from pathlib import Path


def directory():
    return Path(__file__).parent / "chains"
"""

CHAIN = """\
chain: toys
title: "Toy muons, smeared, selected and counted"
seed: 42
scales: {smoke: 40, large: 200}
range: 10
steps:
  - {name: make, use: toy_source, with: {mean: 4}}
  - {name: smear, use: toy_smear}
  - {name: select, use: toy_at_least, with: {muons: 2}}
  - {name: observe, use: toy_observe}
outputs:
  events: {format: rntuple, keep: [EventHeader, MCParticles, ReconstructedParticles]}
"""


@pytest.fixture(scope="session", autouse=True)
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the toys in a directory of their own, for this session."""
    site = tmp_path_factory.mktemp("site")
    for module in PLUGIN.glob("*.py"):
        (site / module.name).write_text(module.read_text())
    (site / "framework_toy_chains.py").write_text(CHAINS)
    (site / "chains").mkdir()
    (site / "chains" / "toys.yaml").write_text(CHAIN)
    info = site / "framework_toys-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(site))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{site}{os.pathsep}{before}" if before else str(site)
    yield site
    sys.path.remove(str(site))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def same_answer(ours: Path, theirs: Path) -> bool:
    """Whether two runs hold the same: tables by byte, events by content (ROOT files hold dates)."""
    from fiducial.edm import content_hash
    from fiducial.io import read_rntuple

    tables = [(out / "tables.npz").read_bytes() for out in (ours, theirs)]
    events = [content_hash(read_rntuple(out / "events.root")) for out in (ours, theirs)]
    return tables[0] == tables[1] and events[0] == events[1]


@pytest.fixture(name="same_answer")
def same_answer_fixture():
    """`same_answer`, since test modules cannot import this file."""
    return same_answer


class Log:
    """What the toy steps noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self, what: str = "") -> list[str]:
        """The lines that begin with `what`, without the process."""
        text = self.path.read_text() if self.path.exists() else ""
        return [line.rsplit(" ", 1)[0] for line in text.splitlines() if line.startswith(what)]

    def processes(self, what: str = "") -> set[str]:
        """The processes that noted a line that begins with `what`."""
        return {
            ln.rsplit(" ", 1)[1] for ln in self.path.read_text().splitlines() if ln.startswith(what)
        }

    def clear(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """A fresh log that all processes of this test write to."""
    path = tmp_path / "toys.log"
    monkeypatch.setenv("FRAMEWORK_TOY_LOG", str(path))
    return Log(path)


@pytest.fixture
def chain_text() -> str:
    """A valid chain of toys."""
    return CHAIN
