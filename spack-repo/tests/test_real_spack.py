"""The recipes and the base environment, held to real Spack: audit, concretize, install, test, run.

The commands are those of docs/how-to/install-with-spack.md, read from the page (``spack_site``).
The network is out of reach once the sources are in a mirror.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from spack_site import SPACK, WORKSPACE, Site

from fiducial.stack.environment import load_environment
from fiducial.stack.lockfile import read_lock
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.ranges import spack_range
from fiducial.stack.spack.wheel_recipe import MARKERS

COMPONENTS = sorted(spack_name(name) for name in WORKSPACE.components)
INFRASTRUCTURE = {"python", "python-venv", "py-pip", "py-wheel"}
"""What Spack itself adds to install Python packages: builtin's recipes, in no wheel lock."""
pytestmark = [pytest.mark.spack, pytest.mark.slow, pytest.mark.network]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("spack"))
    site.follow("Say what the host has")
    return site


@pytest.fixture(scope="module")
def concretized(site: Site) -> Site:
    site.follow("Concretize")
    return site


@pytest.fixture(scope="module")
def offline(concretized: Site) -> Site:
    """The host without a network and without what Spack fetched before, but with the mirror."""
    concretized.follow("Carry the sources to a host without a network")
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


def test_both_builders_have_the_same_versions_of_the_same_packages(concretized: Site) -> None:
    environment = load_environment(WORKSPACE, "base")
    wheels = read_lock(environment.lock_path).applicable(MARKERS)
    expected = {spack_name(name): package.version for name, package in wheels.items()}
    for name in environment.components:
        expected[spack_name(name)] = WORKSPACE.components[name].version
    nodes = concretized.lock()
    assert nodes.keys() - expected.keys() == INFRASTRUCTURE
    assert expected.keys() - nodes.keys() == set()
    assert {name: nodes[name]["version"] for name in expected} == expected
    namespaces = {name: nodes[name]["namespace"] for name in nodes}
    assert {name for name, space in namespaces.items() if space == "builtin"} == INFRASTRUCTURE
    assert {name for name, space in namespaces.items() if space == "fiducial"} == set(COMPONENTS)


def test_concretizing_again_gives_the_same_hashes(concretized: Site) -> None:
    before = concretized.lock()
    concretized.spack("concretize", "--force")
    assert concretized.lock() == before


def test_without_a_network_sources_come_from_the_mirror_and_altered_ones_are_refused(
    offline: Site,
) -> None:
    (entry,) = Path(offline.environment["MIRROR"], "py-mdurl").iterdir()
    wheel = entry.resolve()  # the mirror's readable name is a link
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
    for name in installed.lock().keys() - INFRASTRUCTURE:
        recipe = "".join(word.capitalize() for word in name.split("-"))
        assert f"PASSED: {recipe}::test_imports" in log, name
        assert (name in COMPONENTS) == (f"PASSED: {recipe}::test_smoke" in log), name


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
    for path in [installed.base / "spack.yaml", *installed.base.parent.glob("common/*")]:
        original = WORKSPACE.environments / path.relative_to(installed.base.parent)
        assert path.read_bytes() == original.read_bytes(), path.name
