"""What the pages say, done: the examples of README and how-to run as they stand."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs/how-to/write-a-step.md"
README = Path(__file__).parents[1] / "README.md"


def python_blocks(page: Path) -> list[str]:
    """The python examples of a page, in order."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("fiducial.generators")
    pytest.importorskip("fiducial.simulation")
    monkeypatch.chdir(tmp_path)
    (example,) = python_blocks(README)
    exec(compile(example, str(README), "exec"), {"__name__": "__main__"})
    assert (tmp_path / "muons/events.root").exists()
    assert "generate" in capsys.readouterr().out


@pytest.mark.skipif(not HOW_TO.exists(), reason="the pages are not beside this component")
def test_the_step_of_the_how_to_works_and_passes_its_own_test(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("fiducial.generators")
    pytest.importorskip("fiducial.simulation")
    step, test = python_blocks(HOW_TO)
    site = tmp_path / "site"
    (site / "mylab").mkdir(parents=True)
    (site / "mylab/__init__.py").write_text("")
    (site / "mylab/steps.py").write_text(step)
    info = site / "mylab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mylab\nVersion: 1.0\n")
    toml = re.search(r"^```toml\n(.*?)^```$", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)
    assert toml is not None
    line = toml.group(1).strip().splitlines()[-1].replace('"', "")
    (info / "entry_points.txt").write_text(f"[fiducial.steps]\n{line}\n")
    monkeypatch.syspath_prepend(str(site))
    names: dict[str, object] = {}
    exec(compile(test, str(HOW_TO), "exec"), names)
    names["test_the_answer_does_not_depend_on_the_split"](tmp_path)  # type: ignore[operator]
    from fiducial.framework import open_run

    energy = open_run(tmp_path / "whole").tables()["observe/leading"]["energy"]
    assert len(energy) == 100 and 15 < energy.max() < 25
    for name in [name for name in sys.modules if name.startswith("mylab")]:
        del sys.modules[name]
