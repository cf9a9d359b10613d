"""Spack's part of the pipelines, by real Spack: generated, judged, run, signed, installed from.

The lines are those of the definitions, run as a runner would, in a copy of the checkout; only
Spack itself and the system's packages are there already.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CI = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CI), str(Path(__file__).parent)]

from dockerfile import embedded_manifest, parse  # noqa: E402
from pipelines import ROOT, Job, Script, gitlab_jobs  # noqa: E402
from rehearse import environment, rehearse  # noqa: E402

SPACK = shutil.which("spack") or os.path.expandvars("$SPACK_ROOT/bin/spack")
HOST = ROOT / "environments/common/reference-host"
pytestmark = [
    pytest.mark.spack,
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(
        not os.access(SPACK, os.X_OK), reason="no Spack here: put spack on PATH, or set SPACK_ROOT"
    ),
    pytest.mark.skipif(
        not (Path("/usr/bin/python3.11").exists() and Path("/usr/bin/g++").exists()),
        reason="not the reference host: Debian 12 with its own python3 and g++",
    ),
    pytest.mark.skipif(
        not (shutil.which("gpg") and shutil.which("patchelf")), reason="no gpg or no patchelf here"
    ),
]

TINY = """\
spack:
  include:
  - {name: host, path: ../host, optional: true, prefer_modify: true}
  - ../common
  specs: [py-zipp]
"""


class Runner:
    """A copy of the checkout on a runner that has Spack, with variables of the project."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.folder = scratch, scratch / "checkout"
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, files.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        shutil.copytree(HOST, self.folder / "environments/host")
        settings = {"install_tree": {"root": str(scratch / "store")}}
        settings |= {"build_stage": str(scratch / "stage"), "test_stage": str(scratch / "tests")}
        (self.folder / "environments/host/config.yaml").write_text(yaml.dump({"config": settings}))
        tiny = self.folder / "environments/tiny/spack.yaml"
        tiny.parent.mkdir()
        tiny.write_text(TINY)
        # Spack remembers the index of a cache by its address: this one was never there before
        self.cache = scratch / f"cache-{uuid.uuid4().hex[:8]}"
        self.given = {
            "FIDUCIAL_APT": "0",
            "FIDUCIAL_BUILDCACHE": f"file://{self.cache}",
            "FIDUCIAL_SITE_BUILDCACHE": f"file://{scratch}/sites",
            "FIDUCIAL_WORKSPACE": str(ROOT),  # whose history has the released components
            "SPACK_ROOT": str(Path(SPACK).resolve().parents[1]),
            "HOME": str(scratch / "home"),
        }
        (scratch / "home").mkdir()

    def run(self, job: Job, **given: str) -> None:
        """Run a job to its end."""
        assert rehearse(job, self.folder, self.given | given) == 0

    def generate(self, name: str, **given: str) -> dict[str, Any]:
        """What the job ``spack-generate`` makes for an environment."""
        self.run(
            gitlab_jobs()["spack-generate"], FIDUCIAL_ENVIRONMENT=f"environments/{name}", **given
        )
        path = self.folder / "build/spack-ci/pipeline.yml"
        command = [Path(sys.executable).parent / "check-jsonschema"]
        done = subprocess.run(
            [*command, "--builtin-schema", "vendor.gitlab-ci", path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        return dict(yaml.safe_load(path.read_text()))

    def generated(self, pipeline: dict[str, Any], name: str) -> Job:
        """A job of a generated pipeline."""
        job = pipeline[name]
        lines = (*job.get("before_script", []), *job["script"])
        variables = {key: str(value) for key, value in pipeline["variables"].items()}
        variables |= {key: str(value) for key, value in job.get("variables", {}).items()}
        return Job("gitlab", name, (Script(lines, {}),), variables)

    def spack(self, *words: object, **extra: str) -> str:
        """What Spack says, in its own configuration alone."""
        variables = environment(Job("gitlab", "x", (), {}), self.folder, self.given | extra)
        command = [SPACK, *map(str, words)]
        done = subprocess.run(
            command, input="", capture_output=True, text=True, env=variables, cwd=self.folder
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    runner = Runner(tmp_path_factory.mktemp("runner"))
    job = gitlab_jobs()["spack-sources"]
    lines = tuple(line for line in job.lines if not line.startswith("make"))
    runner.run(Job("gitlab", job.name, (Script(lines, {}),), job.variables))
    return runner


Key = Callable[[str], Path]


@pytest.fixture(scope="module")
def key(runner: Runner) -> Key:
    def make(name: str) -> Path:
        home, path = runner.scratch / f"gnupg-{name}", runner.scratch / f"{name}.asc"
        runner.spack("gpg", "create", name, f"{name}@example.org", SPACK_GNUPGHOME=str(home))
        runner.spack("gpg", "export", "--secret", path, SPACK_GNUPGHOME=str(home))
        path.chmod(0o600)
        return path

    return make


def packages(pipeline: dict[str, Any]) -> dict[str, str]:
    """Jobs that build a package: the package's name, and the job's."""
    return {
        job["variables"]["SPACK_JOB_SPEC_PKG_NAME"]: name
        for name, job in pipeline.items()
        if isinstance(job, dict) and "SPACK_JOB_SPEC_PKG_NAME" in job.get("variables", {})
    }


def test_the_base_environment_becomes_a_job_a_package(runner: Runner) -> None:
    pipeline = runner.generate("base")
    jobs = packages(pipeline)
    lock = json.loads(
        (runner.folder / "build/spack-ci/concrete_environment/spack.lock").read_text()
    )
    nodes = lock["concrete_specs"].values()
    assert {node["name"] for node in nodes if "external" not in node} == jobs.keys()
    assert len(jobs) > 70 and "py-fiducial-validation" in jobs
    committed = json.loads((ROOT / "environments/base/spack.lock").read_text())
    assert lock["concrete_specs"] == committed["concrete_specs"], "the reference host's hashes"
    for name in jobs.values():
        job = pipeline[name]
        assert job["before_script"] == [". ci/gitlab/spack.sh"]
        assert job["script"][-1].startswith("spack ci rebuild")
        assert len(job["script"]) == 2, "ours instead of Spack's own, not beside it"
    assert "sign-pkgs" not in pipeline


def test_a_pipeline_on_a_protected_branch_builds_signs_and_fills_the_cache_of_the_sites(
    runner: Runner, key: Key
) -> None:
    pipelines_key, sites_key = key("pipeline"), key("sites")
    given = {
        "SPACK_PIPELINE_TYPE": "spack_protected_branch",
        "SPACK_REQUIRE_SIGNING": "true",
        "SPACK_SIGNING_KEY": base64.b64encode(pipelines_key.read_bytes()).decode(),
        "SPACK_GNUPGHOME": str(runner.scratch / "gnupg-runner"),
    }
    pipeline = runner.generate("tiny", **given)
    jobs = packages(pipeline)
    assert set(jobs) == {"py-zipp", "py-pip", "py-wheel", "python-venv"}
    for name in sorted(jobs.values(), key=lambda name: int(pipeline[name]["stage"][6:])):
        assert "protected" in pipeline[name]["tags"]
        runner.run(runner.generated(pipeline, name), **given)
    runner.run(runner.generated(pipeline, "rebuild-index"), **given)
    cache = sorted(runner.cache.rglob("*.spec.manifest.json"))
    assert len(cache) == 4
    assert all(path.read_text().startswith("-----BEGIN PGP SIGNED MESSAGE-----") for path in cache)

    (signing,) = [name for name in pipeline if "sign" in name and isinstance(pipeline[name], dict)]
    runner.run(runner.generated(pipeline, signing), **given, FIDUCIAL_SITE_KEY=str(sites_key))

    home = {"SPACK_GNUPGHOME": str(runner.scratch / "gnupg-site")}
    runner.spack("gpg", "trust", sites_key, **home)
    store = f"config:install_tree:root:{runner.scratch / 'site'}"
    mirror = f"mirrors:sites:{runner.scratch / 'sites'}"
    place = runner.folder / "build/spack-ci/concrete_environment"
    runner.spack("-c", store, "-c", mirror, "-e", place, "install", "--cache-only", **home)
    assert list((runner.scratch / "site").rglob("zipp/__init__.py"))


def test_the_container_recipe_resolves_to_what_the_base_environment_has(runner: Runner) -> None:
    recipe = subprocess.run(
        [runner.folder / "ci/containers/spack/recipe.sh"],
        capture_output=True, text=True, check=True,
        env=environment(Job("gitlab", "x", (), {}), runner.folder, runner.given),
    ).stdout  # fmt: skip
    parse(recipe, runner.folder)
    manifest = embedded_manifest(recipe).replace("/opt/fiducial/sources", str(runner.scratch))
    place = runner.scratch / "image"
    place.mkdir()
    (place / "spack.yaml").write_text(manifest.replace("/opt/fiducial", str(runner.folder)))
    runner.spack("-e", place, "concretize", SPACK_DISABLE_LOCAL_CONFIG="1")

    def versions(path: Path) -> dict[str, str]:
        nodes = json.loads(path.read_text())["concrete_specs"].values()
        return {node["name"]: f"{node['version']} /{node['hash']}" for node in nodes}

    runner.generate("base")
    base = versions(runner.folder / "build/spack-ci/concrete_environment/spack.lock")
    assert versions(place / "spack.lock") == base
