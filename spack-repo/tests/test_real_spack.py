"""The recipes and the base environment, held to real Spack: audit, concretize, install, test, run.

The commands are those of docs/how-to/install-with-spack.md, read from the page (``spack_site``).
The network is out of reach once the sources are in a mirror.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from spack_site import SPACK, WORKSPACE, Site, give_history, host_system

from fiducial.stack.spack.lock_graph import read_spack_lock
from fiducial.stack.spack.names import folder_name, spack_name
from fiducial.stack.spack.ranges import spack_range
from fiducial.stack.spack.recipe_digest import recipe_versions

COMPONENTS = sorted(spack_name(name) for name in WORKSPACE.components)
RECIPES = WORKSPACE.root / "spack-repo" / "spack_repo"
INFRASTRUCTURE = {"python", "python-venv", "py-pip", "py-wheel"}
"""What Spack itself adds to install Python packages: builtin's recipes, in no wheel lock."""
pytestmark = [pytest.mark.spack, pytest.mark.slow, pytest.mark.network]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("spack"))
    give_history(site.checkout)
    site.follow("Say what the host has")
    return site


@pytest.fixture(scope="module")
def concretized(site: Site) -> Site:
    site.follow("Get the sources")
    site.follow("Concretize")
    return site


@pytest.fixture(scope="module")
def offline(concretized: Site) -> Site:
    """The host without a network and without what Spack fetched before, but with the mirror."""
    cache = f"config:source_cache:{concretized.home / 'sources'}"
    concretized.spack("config", "--scope", "host", "add", cache)
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    concretized.environment |= {**nowhere, "no_proxy": ""}
    return concretized


@pytest.fixture(scope="module")
def installed(offline: Site) -> Site:
    offline.follow("Install")
    return offline


def test_both_repositories_can_be_added(site: Site, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack: {specs: []}\n")
    for namespace in ("fiducial_wheels", "fiducial"):
        place = site.checkout / "spack-repo" / "spack_repo" / namespace
        site.run(str(SPACK), "-e", tmp_path, "repo", "add", place)
    listed = site.run(str(SPACK), "-e", tmp_path, "repo", "list").stdout
    assert {"fiducial", "fiducial_wheels", "builtin"} <= set(listed.split())


def test_the_audit_finds_nothing_in_our_recipes(site: Site) -> None:
    folders = (WORKSPACE.root / "spack-repo/spack_repo").glob("*/packages/*/package.py")
    names = sorted(path.parent.name.replace("_", "-") for path in folders)
    assert len(names) > 70
    audit = site.spack("audit", "packages", *names, ok=False)
    assert audit.returncode == 0, audit.stdout
    found = [line for line in audit.stdout.splitlines() if line.startswith("PKG-")]
    assert found and all(line.endswith(": passed") for line in found), audit.stdout


def test_spack_reads_our_ranges_as_python_reads_its_own(site: Site, tmp_path: Path) -> None:
    specifiers: set[str] = set()
    for component in WORKSPACE.components.values():
        rows = component.needs(frozenset(component.extras))
        specifiers |= {str(row.specifier) for row in rows} | {component.requires_python}
    numbers = (0, 1, 2, 6, 7, 8, 11, 12, 13, 25, 61, 317)
    versions = [f"{a}.{b}.{c}" for a in (*numbers, 2024) for b in numbers for c in (0, 2, 9)]
    question = tmp_path / "question.json"
    ranges = [spack_range(text) for text in sorted(specifiers)]
    question.write_text(json.dumps([ranges, versions]))
    script = tmp_path / "ask.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "from spack.version import Version, from_string\n"
        "ranges, versions = json.loads(pathlib.Path(sys.argv[1]).read_text())\n"
        "held = [[Version(v).satisfies(from_string(r)) for v in versions] for r in ranges]\n"
        "print(json.dumps(held))\n"
    )
    held = json.loads(site.spack("python", script, question).stdout)
    for text, row in zip(sorted(specifiers), held, strict=True):
        wanted = [SpecifierSet(text).contains(version) for version in versions]
        assert row == wanted, text


def test_the_linter_knows_only_names_that_spack_has(site: Site) -> None:
    words = site.spack("python", "-c", "import spack.package as p; print(*p.__all__)").stdout
    settings = tomllib.loads((WORKSPACE.root / "spack-repo/ruff.toml").read_text())
    assert set(settings["builtins"]) <= set(words.split())


def test_a_host_has_the_versions_variants_and_recipes_of_the_committed_lock(
    concretized: Site,
) -> None:
    committed = read_spack_lock(WORKSPACE.environments / "base" / "spack.lock")
    kept = ("version", "namespace", "package_hash")
    there = {
        node.name: [node.content[key] for key in kept] + [node.content["parameters"]]
        for node in committed.nodes.values()
        if not node.external
    }
    here = {
        name: [node[key] for key in kept] + [node["parameters"]]
        for name, node in concretized.lock().items()
        if "external" not in node
    }
    assert here == there


@pytest.mark.skipif(host_system() != "debian12", reason="locks are made on Debian 12")
def test_a_clean_checkout_elsewhere_gives_the_committed_lock_byte_by_byte(
    tmp_path: Path,
) -> None:
    host = Site(tmp_path, Path("/usr/bin"))
    names = ("spack.lock", "spack.lock.inputs.yaml")
    committed = [(host.base / name).read_bytes() for name in names]
    for name in names:
        (host.base / name).unlink()
    host.run("fiducial", "lock", "base", "--builder", "spack")
    assert [(host.base / name).read_bytes() for name in names] == committed
    shutil.copytree(host.base.parent / "common" / "reference-host", host.base.parent / "host")
    host.spack("concretize")  # the lock is taken as it is, and written back
    assert (host.base / "spack.lock").read_bytes() == committed[0]


def test_without_a_network_sources_come_from_the_mirror_and_altered_ones_are_refused(
    offline: Site,
) -> None:
    recipe = WORKSPACE.root / "spack-repo/spack_repo/fiducial_wheels/packages/py_mdurl/package.py"
    (digest,) = recipe_versions(recipe).values()
    (wheel,) = Path(offline.environment["MIRROR"]).glob(f"_source-cache/archive/*/{digest}")
    whole = wheel.read_bytes()

    def fetch(stage: str) -> subprocess.CompletedProcess[str]:
        place = f"config:build_stage:[{offline.home / stage}]"
        return offline.spack(
            "-c", place, "fetch", f"/{offline.lock()['py-mdurl']['hash']}", ok=False
        )

    try:
        wheel.write_bytes(whole + b"more")
        altered = fetch("altered")
        wheel.unlink()
        absent = fetch("absent")
    finally:
        wheel.write_bytes(whole)
    assert altered.returncode != 0 and "sha256 checksum failed" in altered.stderr
    assert absent.returncode != 0 and "All fetchers failed" in absent.stderr
    assert fetch("whole").returncode == 0


def test_every_component_passes_its_smoke_test_and_every_wheel_is_imported(
    installed: Site,
) -> None:
    installed.spack(
        "config", "--scope", "host", "add", f"config:test_stage:{installed.home / 'tests'}"
    )
    installed.follow("Prove it")
    log = "".join(path.read_text() for path in (installed.home / "tests").rglob("*-test-out.txt"))
    assert "FAILED" not in log
    for name in installed.lock().keys() - INFRASTRUCTURE - {"fiducial"}:
        recipe = "".join(word.capitalize() for word in name.split("-"))
        assert f"PASSED: {recipe}::test_imports" in log, name
        texts = [path.read_text() for path in RECIPES.glob(f"*/packages/{folder_name(name)}/*.py")]
        smoke = any("def test_smoke" in text for text in texts)
        assert smoke == (f"PASSED: {recipe}::test_smoke" in log), name
        assert smoke or name not in COMPONENTS, name


def test_ten_events_are_the_same_loaded_in_the_view_and_without_spack(installed: Site) -> None:
    installed.follow("Use it")
    events = ["run", "zh_recoil", "--events", "10", "--out"]
    view = installed.base / ".spack-env" / "view" / "bin" / "fiducial"
    installed.run(view, *events, installed.home / "view")
    folders = [*installed.checkout.glob("components/*/src"), installed.checkout / "validation/src"]
    installed.environment["PYTHONPATH"] = ":".join(map(str, folders))
    code = "from fiducial.stack.cli.app import main; main()"
    installed.run(sys.executable, "-c", code, *events, installed.home / "wheels")
    records = [installed.home / place / "run.json" for place in ("zh", "view", "wheels")]
    assert len({json.loads(path.read_text())["content_sha256"] for path in records}) == 1


def test_what_the_host_says_went_to_its_own_scope_only(installed: Site) -> None:
    host = installed.base.parent / "host"
    assert {path.name for path in host.iterdir()} == {
        "packages.yaml",
        "config.yaml",
        "mirrors.yaml",
    }
    written = {path.relative_to(installed.home).parts[0] for path in installed.home.rglob("*")}
    assert ".spack" not in written
    for path in [installed.base / "spack.yaml", *installed.base.parent.glob("common/*.yaml")]:
        original = WORKSPACE.environments / path.relative_to(installed.base.parent)
        assert path.read_bytes() == original.read_bytes(), path.name
