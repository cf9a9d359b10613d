"""The pages on adding and releasing components stay true: what they say is done, to the letter.

In a copy of the checkout, under git, with what is here of the tools. Blocks with ``spack`` in
their info string run in a test of their own, with real Spack.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from spack_site import PYTHON, SPACK, WORKSPACE, copy_checkout

PAGES = WORKSPACE.root / "docs/how-to"
BLOCK = re.compile(r"^```sh( spack)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RENEW = """
for environment in base dev detector-study gpu; do fiducial lock "$environment"; done
fiducial recipes sync && git add -A && git commit -q --allow-empty -m Renew
"""
pytestmark = [pytest.mark.network, pytest.mark.slow]


class Checkout:
    """A copy of the checkout, committed in a repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = copy_checkout(folder / "checkout")
        shutil.copy2(WORKSPACE.root / "LICENSE", self.root)
        self.environment = {
            **{key: row for key, row in os.environ.items() if not key.startswith("FIDUCIAL_")},
            **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER")
               for what in ("NAME", "EMAIL")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        self.environment.pop("SPACK_ENV", None)
        self.run("git init -q && git add -A && git commit -q -m Begin")

    def run(self, commands: str, code: int = 0) -> str:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", commands],
            cwd=self.root, env=self.environment, input="", capture_output=True, text=True,
            timeout=600,
        )  # fmt: skip
        assert done.returncode == code, f"{commands}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def follow(self, page: str, heading: str = "", spack: bool = False) -> str:
        """Do what a page says, or what it says under a heading."""
        text = (PAGES / page).read_text()
        if heading:
            text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        blocks = [body for mark, body in BLOCK.findall(text) if bool(mark) == spack]
        assert blocks, f"nothing to do in {page} {heading}"
        return "".join(self.run(body) for body in blocks)


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("added"))
    checkout.run(RENEW)  # what the checkout's own changes ask for is not what the page makes
    said = checkout.follow("add-a-component.md")
    assert "all recipes are what they are generated from" in said and "1 passed" in said
    return checkout


def test_a_component_is_added_as_the_page_says(added: Checkout) -> None:
    recipe = (
        added.root / "spack-repo/spack_repo/fiducial/packages/py_fiducial_kinematics/package.py"
    )
    text = recipe.read_text()
    assert 'depends_on("py-fiducial-core@0.1:0.1")' in text and 'version("0.1.0")' in text
    changed = set(added.run("git status --porcelain -uall").replace("?? ", " M ").split("\n"))
    assert {f" M environments/{name}/wheels.lock" for name in ("base", "dev", "gpu")} <= changed
    packages = [row for row in changed if "/packages/" in row]
    folders = {row.split("/packages/")[1].split("/")[0] for row in packages}
    assert folders == {"py_fiducial_kinematics", "fiducial"}, "and the bundle, which has them all"


@pytest.mark.spack
def test_spack_reads_the_new_component(added: Checkout) -> None:
    host = added.root / "environments/host"
    host.mkdir(exist_ok=True)
    python = {"externals": [{"spec": "python@3.11", "prefix": str(PYTHON.parent)}]}
    (host / "packages.yaml").write_text(yaml.safe_dump({"packages": {"python": python}}))
    added.environment |= {
        "SPACK_DISABLE_LOCAL_CONFIG": "1",
        "NO_COLOR": "1",
        "PATH": f"{Path(str(SPACK)).parent}:{added.environment['PATH']}",
    }
    said = added.follow("add-a-component.md", spack=True)
    assert "PKG-DIRECTIVES: passed" in said
    assert "py-fiducial-kinematics@0.1.0" in said and "^py-fiducial-core@0.1" in said


def test_components_are_released_as_the_page_says(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    releases = [checkout.root / "spack-repo" / name for name in ("releases.yaml", "releases")]
    releases.append(checkout.root / "spack-repo/distributions.yaml")
    for path in releases:  # they are of another history than this copy's
        checkout.run(f"rm -rf {path}")
    checkout.run(RENEW)
    checkout.environment |= {"DISTRIBUTION": "0.1.0", "ARCHIVES": str(tmp_path / "first")}
    checkout.follow("make-a-release.md")
    before = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert len(before) == len(WORKSPACE.components)

    metadata = checkout.root / "components/core/pyproject.toml"
    old = re.search(r'^version = "(.*)"$', metadata.read_text(), re.MULTILINE)
    assert old is not None
    (checkout.root / "components/core/src/fiducial/core/more.py").write_text('"""More."""\n')
    said = checkout.run("fiducial component check", code=1)
    assert f"fiducial-core {old[1]}: src/fiducial/core/more.py" in said
    new = old[1].rpartition(".")[0] + f".{int(old[1].rpartition('.')[2]) + 1}"
    metadata.write_text(metadata.read_text().replace(f'"{old[1]}"', f'"{new}"', 1))
    changelog = metadata.with_name("CHANGELOG.md")
    text = changelog.read_text().replace("\n## ", f"\n## {new} (unreleased)\n\n- More.\n\n## ", 1)
    changelog.write_text(text)
    checkout.run("git add -A && git commit -q -m 'Add more'")
    checkout.environment |= {"DISTRIBUTION": "0.2.0", "ARCHIVES": str(tmp_path / "second")}
    checkout.follow("make-a-release.md")
    after = {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}
    assert after.keys() - before.keys() == {f"fiducial_core-{new}.tar.gz"}
    assert {name: after[name] for name in before} == before, "to the byte"
    packages = checkout.root / "spack-repo/spack_repo/fiducial/packages"
    recipe = (packages / "py_fiducial_core/package.py").read_text()
    assert len(re.findall(r'sha256="[0-9a-f]{64}"', recipe)) == 2
    bundle = (packages / "fiducial/package.py").read_text()
    assert f'depends_on("py-fiducial-core@={new}", when="@=0.2.0")' in bundle
    assert f'depends_on("py-fiducial-core@={old[1]}", when="@=0.1.0")' in bundle
    assert 'depends_on("py-fiducial-edm@=' in bundle and 'when="@0.1.0:0.2.0")' in bundle
    assert "all recipes are what they are generated from" in checkout.run("fiducial recipes check")
