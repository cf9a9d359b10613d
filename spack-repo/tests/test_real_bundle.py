"""The bundle with every engine, on real Spack: concretized, installed from wheels, tested.

Its tests run ten events; those of the engines simulate, track, generate, cluster and fill.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from spack_site import PYTHON, SPACK, WORKSPACE, Site

from fiducial.stack.environment import load_environment
from fiducial.stack.lockfile import read_lock
from fiducial.stack.spack.component_recipe import render_component
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.releases import ReleasedArchive, metadata_path
from fiducial.stack.spack.wheel_recipe import MARKERS
from fiducial.stack.workspace import Workspace

ENGINES = [
    "py-geant4-pybind", "py-pyacts", "py-root", "py-pythia8mc", "py-fastjet", "py-hist",
    "py-iminuit", "py-mplhep", "py-pyhepmc", "py-numba-cuda", "py-cupy-cuda13x",
    "py-nvidia-cuda-runtime", "py-nvidia-cuda-nvrtc", "py-nvidia-nvvm", "py-nvidia-nvjitlink",
]  # fmt: skip
COMMON = ("config", "packages", "concretizer", "repos")
pytestmark = [pytest.mark.spack, pytest.mark.slow, pytest.mark.network]


class Bundle(Site):
    """A site whose environment is the bundle, with the components of the checkout."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(scratch)
        self.base = self.checkout / "environments" / "bundle"
        self.base.mkdir()
        folders = {spack_name(row.name): row for row in WORKSPACE.components.values()}
        develop = {
            name: {
                "spec": f"{name}@={row.version}",
                "path": f"../../{row.directory.relative_to(WORKSPACE.root)}",
            }
            for name, row in folders.items()
        }
        python = {"externals": [{"spec": "python@3.11", "prefix": str(PYTHON.parent)}]}
        text = {
            "include": [f"../common/{name}.yaml" for name in COMMON],
            "specs": ["fiducial@main+detector_study+cuda"],
            "view": False,
            "develop": develop,
            "packages": {"python": python},
            "config": {
                "install_tree": {"root": self.environment["STORE"]},
                "test_stage": str(self.home / "tests"),
                "build_stage": [str(self.home / "stage")],
            },
        }
        (self.base / "spack.yaml").write_text(yaml.safe_dump({"spack": text}))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    bundle = Bundle(tmp_path_factory.mktemp("bundle"))
    bundle.spack("concretize")
    return bundle


def test_a_detector_study_is_every_engine_at_the_locked_versions(bundle: Bundle) -> None:
    nodes = bundle.lock()
    variants = nodes["fiducial"]["parameters"]
    assert all(variants[name] for name in ("geant4", "acts", "root", "pythia8", "analysis", "cuda"))
    assert not variants["docs"]
    locked = {}
    for name in ("detector-study", "gpu"):
        locked |= read_lock(load_environment(WORKSPACE, name).lock_path).applicable(MARKERS)
    expected = {spack_name(name): package.version for name, package in locked.items()}
    found = {name: node["version"] for name, node in nodes.items() if name in expected}
    assert found == expected, "all of the locks, and in their versions"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fiducial+acts os=almalinux8", "the wheel of pyacts needs glibc 2.34 or newer"),
        ("fiducial+validation~pythia8", "the reference chains generate with Pythia 8"),
        ("fiducial+detector_study~root", "a detector study has every engine"),
    ],
)
def test_what_cannot_be_says_why(bundle: Bundle, spec: str, message: str) -> None:
    refused = bundle.run(str(SPACK), "-e", bundle.base, "spec", *spec.split(), ok=False)
    assert refused.returncode != 0
    assert message in refused.stdout + refused.stderr


def test_a_new_release_moves_the_hash_of_no_older_one(bundle: Bundle) -> None:
    def tell(spec: str) -> dict[str, Any]:
        said = bundle.run(str(SPACK), "-e", bundle.base, "spec", "--json", spec).stdout
        nodes = json.loads(said)["spec"]["nodes"]
        return next(node for node in nodes if node["name"] == "py-fiducial-core")

    package = bundle.checkout / "spack-repo/spack_repo/fiducial/packages/py_fiducial_core"
    workspace = Workspace(bundle.checkout)
    component = workspace.component("fiducial-core")
    first = ReleasedArchive(component.name, "0.1.0", "a" * 64, "a" * 40)
    second = ReleasedArchive(component.name, "0.1.1", "b" * 64, "b" * 40)
    text = (component.directory / "pyproject.toml").read_text()
    old, new = (metadata_path(workspace, component.name, row.version) for row in (first, second))
    old.write_text(text)
    standing = (package / "package.py").read_text()
    develop = (bundle.base / "spack.yaml").read_text()
    try:
        outside = yaml.safe_load(develop)
        del outside["spack"]["develop"]
        (bundle.base / "spack.yaml").write_text(yaml.safe_dump(outside))
        (package / "package.py").write_text(render_component(workspace, component, (first,)))
        before = tell("py-fiducial-core@=0.1.0")
        changed = text.replace("numpy>=2.0", "numpy>=2.1").replace("assert uniform", "uniform")
        assert changed.count("numpy>=2.1") == 1
        new.write_text(changed)
        recipe = render_component(workspace, component, (first, second))
        (package / "package.py").write_text(recipe)
        assert tell("py-fiducial-core@=0.1.0")["hash"] == before["hash"]
        assert tell("py-fiducial-core")["version"] == "0.1.1"
    finally:
        (package / "package.py").write_text(standing)
        (bundle.base / "spack.yaml").write_text(develop)


def test_the_bundle_and_every_engine_pass_their_tests(bundle: Bundle) -> None:
    bundle.spack("install", "--only-concrete", "-j", "2")
    bundle.spack("test", "run", "--alias", "bundle", "fiducial", *ENGINES)
    log = "".join(path.read_text() for path in (bundle.home / "tests").rglob("*-test-out.txt"))
    assert "FAILED" not in log
    for name in ("test_ten_events", "test_reference_chain"):
        assert f"PASSED: Fiducial::{name}" in log
    for record in (bundle.home / "tests").rglob("run.json"):
        assert json.loads(record.read_text())["events"] == 10
    for name in ENGINES:
        recipe = "".join(word.capitalize() for word in name.split("-"))
        assert f"PASSED: {recipe}::test_" in log, name
