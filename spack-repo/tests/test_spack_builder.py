"""``fiducial build --builder spack`` with real Spack: the same stack, and all that comes after it.

FIDUCIAL_TEST_SPACK_STORE names a store to keep, which spares installing the wheels again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spack_site import WORKSPACE, Site

from fiducial.stack.diff import diff
from fiducial.stack.manifest import read_manifest
from fiducial.stack.verify import verify

pytestmark = [pytest.mark.spack, pytest.mark.slow, pytest.mark.network]
FIDUCIAL = Path(sys.executable).parent / "fiducial"


def fiducial(site: Site, *arguments: str | Path) -> Any:
    """What a command answers in JSON."""
    return json.loads(site.run(FIDUCIAL, *arguments, "--json").stdout)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    scratch = tmp_path_factory.mktemp("builder")
    site = Site(scratch)
    site.environment |= {
        "FIDUCIAL_WORKSPACE": str(site.checkout),
        "FIDUCIAL_CACHE_DIR": str(scratch / "cache"),
    }
    return site


@pytest.fixture(scope="module")
def by_spack(site: Site) -> Path:
    out = site.home / "by-spack"
    places = ["--out", out, "--store", site.environment["STORE"], "--jobs", "2"]
    answer = fiducial(site, "build", "base", "--builder", "spack", *places)
    assert answer["built"] and answer["builder"]["name"] == "spack"
    return out


@pytest.fixture(scope="module")
def by_wheels(site: Site) -> Path:
    out = site.home / "by-wheels"
    theirs = {**site.environment, "HOME": str(Path.home())}  # uv's index is the user's own
    command = [FIDUCIAL, "build", "base", "--out", out, "--json"]
    done = subprocess.run(command, env=theirs, capture_output=True, text=True, cwd=site.checkout)
    assert done.returncode == 0, done.stderr
    return out


def test_both_builders_make_the_same_packages_byte_for_byte(
    by_spack: Path, by_wheels: Path
) -> None:
    found = diff(read_manifest(by_wheels), verify(by_spack))
    assert list(found.inputs) == ["builder"] and found.packages == ()


def test_the_manifest_names_spack_and_its_recipes(by_spack: Path) -> None:
    manifest = read_manifest(by_spack)
    assert manifest.builder.tools.keys() == {"spack", "builtin"}
    assert manifest.package("fiducial-core") is not None


def test_where_nothing_moved_nothing_is_built(site: Site, by_spack: Path) -> None:
    places = ["--out", by_spack, "--store", site.environment["STORE"]]
    answer = fiducial(site, "build", "base", "--builder", "spack", *places)
    assert answer["fresh"] and not answer["built"]


def test_nothing_is_written_to_the_users_configuration_or_the_checkout(
    site: Site, by_spack: Path
) -> None:
    assert not (site.home / ".spack").exists()
    for path in site.checkout.rglob("environments/**/*"):
        original = WORKSPACE.root / path.relative_to(site.checkout)
        assert not path.is_file() or path.read_bytes() == original.read_bytes(), path


def test_a_published_and_deployed_copy_gives_the_same_events_without_the_store(
    site: Site, by_spack: Path, by_wheels: Path
) -> None:
    key, out = site.home / "signing.pem", site.home / "verdict"
    site.run(FIDUCIAL, "key", "new", key)
    chain = ["--chain", "zh_recoil", "--scale", "smoke"]
    assert fiducial(site, "validate", by_spack, *chain, "--out", out, "--key", key)["passed"]
    signed = ["--repository", site.home / "repository", "--key", key]
    verdict = ["--verdict", out / "verdict.dsse.json"]
    site.run(FIDUCIAL, "publish", by_spack, *verdict, *signed)
    release = read_manifest(by_spack).stack
    where = ["--repository", site.home / "repository", "--to", site.home / "deployed"]
    trust = ["--trust", site.home / "signing.pub.pem"]
    partial = "--allow-failed"  # a verdict on one chain moves no channel
    site.run(FIDUCIAL, "deploy", *where, *trust, "--release", release, partial)
    store = Path(site.environment["STORE"])
    away = store.rename(store.with_name(f"{store.name}-away"))
    shutil.rmtree(by_spack)
    try:
        first = ten_events(site, site.home / "deployed" / "current", site.home / "ten-spack")
    finally:
        away.rename(store)
    assert first == ten_events(site, by_wheels, site.home / "ten-wheels")


def ten_events(site: Site, stack: Path, out: Path) -> str:
    """The content of ten events of a reference chain, run in a stack and nothing else."""
    script = '. "$1/setup.sh" && fiducial run zh_recoil --events 10 --out "$2"'
    environment = {"HOME": str(site.home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-eu", "-c", script, "sh", stack, out],
        env=environment, capture_output=True, text=True, cwd=site.home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(json.loads((out / "run.json").read_text())["content_sha256"])
