"""Source mirrors and build caches as docs/how-to/air-gapped-site.md uses them, by real Spack.

Every command is read from the page. After the mirror is filled the network is out of reach, and
nothing that was fetched before can be found: what is installed comes from the mirror.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from spack_site import SPACK, WORKSPACE, Site

from fiducial.stack.files import sha256_file

PAGE = WORKSPACE.root / "docs/how-to/air-gapped-site.md"
HOST_PYTHON = Path("/usr/bin")
pytestmark = [
    pytest.mark.spack,
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(
        not (HOST_PYTHON / "python3.11").is_file(),
        reason="the committed lock is for Debian 12 with its own CPython 3.11",
    ),
]
NOWHERE = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    scratch = tmp_path_factory.mktemp("airgap")
    found = Site(scratch, HOST_PYTHON)
    program = scratch / "bin"
    program.mkdir()
    (program / "fiducial").symlink_to(Path(sys.executable).with_name("fiducial"))
    found.environment["PATH"] = f"{program}:{found.environment['PATH']}"
    for name in ("TOOLS", "STACK", "KEY", "CACHE", "ELSEWHERE"):
        found.environment[name] = str(scratch / name.lower())
    found.environment["KEY"] += ".asc"
    history = subprocess.run(
        ["git", "rev-parse", "--git-common-dir"],
        cwd=WORKSPACE.root, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (found.checkout / ".git").symlink_to((WORKSPACE.root / history).resolve())
    keep = ("UV_", "SSL_", "NETRC", "HTTP", "http", "no_proxy", "ALL_", "all_")
    found.environment |= {k: v for k, v in os.environ.items() if k.startswith(keep)}
    return found


def follow(site: Site, heading: str) -> None:
    """Do what our page says under ``heading``."""
    site.follow(heading, PAGE)


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """The mirror, filled by a host without Spack; then no network any more."""
    path = site.environment["PATH"]
    without = [row for row in path.split(":") if Path(row) != Path(str(SPACK)).parent]
    site.environment["PATH"] = ":".join(without)
    root = site.environment.pop("SPACK_ROOT", None)
    try:
        follow(site, "Fill the mirror")
    finally:
        site.environment["PATH"] = path
        if root is not None:
            site.environment["SPACK_ROOT"] = root
    site.environment |= {**NOWHERE, "no_proxy": "", "UV_CACHE_DIR": str(site.home / "uv")}
    site.environment["SPACK_USER_CONFIG_PATH"] = str(site.home / "none")
    host = site.checkout / "environments/host"
    host.mkdir(exist_ok=True)
    (host / "config.yaml").write_text(
        json.dumps(
            {
                "config": {
                    "install_tree": {"root": site.environment["STORE"]},
                    "source_cache": str(site.home / "sources"),
                    "test_stage": str(site.home / "tests"),
                }
            }
        )
    )
    return site


def test_the_mirror_has_the_same_files_in_the_same_places_as_spacks_own(
    filled: Site, tmp_path: Path
) -> None:
    mirror = Path(filled.environment["MIRROR"])
    names = ("py-numpy", "py-pip", "py-wheel", "py-mdurl")
    hashes = [f"/{row['hash']}" for name, row in filled.lock().items() if name in names]
    (tmp_path / "scope").mkdir()
    rows = {"mirrors": {"ours": {"url": mirror.as_uri()}}}
    (tmp_path / "scope/mirrors.yaml").write_text(json.dumps(rows))
    spack = (str(SPACK), "-C", tmp_path / "scope", "-e", filled.base)
    theirs = tmp_path / "theirs"
    filled.run(*spack, "mirror", "create", "-d", theirs, *hashes)
    files = [path for path in theirs.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) == len(names)
    for path in files:
        assert sha256_file(mirror / path.relative_to(theirs)) == sha256_file(path)
    for link in (path for path in theirs.rglob("*") if path.is_symlink()):
        ours = mirror / link.relative_to(theirs)
        assert ours.readlink() == link.readlink()


def test_the_program_itself_and_a_stack_come_from_the_mirror_without_a_network(
    filled: Site,
) -> None:
    follow(filled, "Carry it over, and check it")
    follow(filled, "Or without Spack")
    stack = Path(filled.environment["STACK"])
    filled.run(stack / "bin/fiducial", "--version")


@pytest.fixture(scope="module")
def installed(filled: Site) -> Site:
    follow(filled, "Install with Spack")
    return filled


def test_spack_installs_and_tests_from_the_mirror_without_a_network(installed: Site) -> None:
    found = installed.spack("find", "--format", "{name}", "--no-groups").stdout.split()
    wanted = {name for name, row in installed.lock().items() if "external" not in row}
    assert wanted - set(found) == set()
    ours = json.loads((installed.checkout / "environments/base/spack.lock").read_text())
    committed = json.loads((WORKSPACE.environments / "base/spack.lock").read_text())
    assert ours["concrete_specs"] == committed["concrete_specs"], "the hashes of the lock"


def test_an_altered_file_of_the_mirror_is_refused_by_spack_and_named_by_check(
    installed: Site,
) -> None:
    mirror = Path(installed.environment["MIRROR"])
    wheel = next((mirror / "py-mdurl").iterdir()).resolve()
    whole = wheel.read_bytes()
    try:
        wheel.write_bytes(whole + b"more")
        check = installed.run("fiducial", "mirror", "check", mirror, ok=False)
        stage = f"config:build_stage:[{installed.home / 'altered'}]"
        nothing = f"config:source_cache:{installed.home / 'no-sources'}"
        node = installed.lock()["py-mdurl"]["hash"]
        fetch = installed.spack("-c", stage, "-c", nothing, "fetch", f"/{node}", ok=False)
    finally:
        wheel.write_bytes(whole)
    assert check.returncode == 1 and "corrupt: py-mdurl" in check.stderr
    assert fetch.returncode != 0 and "checksum failed" in fetch.stderr
    assert installed.run("fiducial", "mirror", "check", mirror).returncode == 0


@pytest.fixture(scope="module")
def cached(installed: Site) -> Site:
    """The environment in a build cache and, from that alone, in another place."""
    shutil.rmtree(installed.checkout / "environments/host")
    follow(installed, "Or with what was built elsewhere")
    return installed


def install(site: Site, store: str, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["fiducial", "buildcache", "install", "base", site.environment["CACHE"]]
    return site.run(*words, "--store", site.home / store, *more, ok=False)


def test_what_comes_from_the_build_cache_is_the_same_and_works_elsewhere(cached: Site) -> None:
    elsewhere, store = cached.environment["ELSEWHERE"], cached.environment["STORE"]
    events = ["run", "zh_recoil", "--events", "10", "--out"]
    cached.run(Path(elsewhere, "view/base/bin/fiducial"), *events, cached.home / "elsewhere")
    record = json.loads((cached.home / "elsewhere/run.json").read_text())
    assert record["events"] == 10
    scripts = [path for path in Path(elsewhere).glob("*/py-fiducial-*/bin/*") if path.is_file()]
    assert scripts and not any(store in path.read_text() for path in scripts), "relocated"
    again = cached.run("fiducial", "buildcache", "push", "base", cached.environment["CACHE"],
                       "--key", cached.environment["KEY"], "--store", store, "--json")  # fmt: skip
    assert json.loads(again.stdout)["new"] == 0


def test_a_stranger_and_a_tamperer_are_refused_by_name_before_anything_is_installed(
    cached: Site,
) -> None:
    trust = ("--trust", cached.environment["KEY"].removesuffix(".asc") + ".pub.asc")
    made = cached.run("fiducial", "buildcache", "key", cached.home / "other.asc", "--json")
    stranger = install(cached, "a", "--trust", json.loads(made.stdout)["public"])
    fingerprint = json.loads(
        cached.run("fiducial", "buildcache", "list", cached.environment["CACHE"], *trust,
                   "--json").stdout
    )[0]["signed_by"]  # fmt: skip
    assert stranger.returncode == 1 and fingerprint in stranger.stderr
    assert not list((cached.home / "a").glob("linux-*"))
    manifest = Path(cached.environment["CACHE"], "v3/manifests/spec/py-numpy")
    (path,) = manifest.iterdir()
    digest = json.loads(path.read_text().split("\n\n", 1)[1].split("-----BEGIN")[0])
    blob = digest["data"][0]["checksum"]
    file = Path(cached.environment["CACHE"], "blobs/sha256", blob[:2], blob)
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        tampered = install(cached, "b", *trust)
    finally:
        file.write_bytes(whole)
    assert tampered.returncode == 1 and "py-numpy@" in tampered.stderr
    assert "were altered" in tampered.stderr and "py-scipy" not in tampered.stderr


def test_nothing_went_to_the_users_configuration_or_keyring(cached: Site) -> None:
    assert not (cached.home / ".spack").exists() and not (cached.home / ".gnupg").exists()
