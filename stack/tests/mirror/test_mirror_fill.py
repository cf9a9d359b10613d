"""A mirror is filled from the locks, completely or with every lacking file named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fiducial.stack.environment import load_environment
from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.files import sha256_file
from fiducial.stack.lockfile import parse_lock, render_lock
from fiducial.stack.spack import fetching
from fiducial.stack.spack.mirror_layout import open_mirror, walk_mirror
from fiducial.stack.spack.obtain_sources import IncompleteMirror
from fiducial.stack.spack.source_mirror import fill
from fiducial.stack.spack.wanted_sources import want

WHEEL = """\
class PyDelta(PythonPackage):
    pypi = "delta/delta-1.0-py3-none-any.whl"
    version("1.0", sha256="{}", expand=False)
"""


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(fetching, "_PAUSE", 0.001)


def no_spack():
    raise EnvironmentProblem("no Spack found", "none on PATH", "install it")


def fill_toy(site, folder: Path, find_spack=no_spack):
    return fill(site.workspace, want(site.workspace, "toy"), folder, find_spack)


def test_every_wheel_of_the_lock_lies_where_spack_looks_and_under_its_own_name(site, tmp_path):
    done = fill_toy(site, tmp_path / "mirror")
    assert done.files == done.fetched == 3
    for name, digest in site.wheels.items():
        stored = tmp_path / "mirror/_source-cache/archive" / digest[:2] / digest
        assert sha256_file(stored) == digest
        package = f"py-{name.split('-')[0]}"
        assert (tmp_path / f"mirror/{package}/{package}-1.0").resolve() == stored.resolve()
        assert (tmp_path / "mirror/wheels" / name).resolve() == stored.resolve()
    index = json.loads((tmp_path / "mirror/mirror.json").read_text())
    assert index["format"] == 1
    held = index["environments"]["toy"]
    assert held["wheels_lock_sha256"] == sha256_file(site.environment / "wheels.lock")
    assert {index["files"][path]["sha256"] for path in held["files"]} == set(site.wheels.values())
    sizes = {(tmp_path / "mirror" / path).stat().st_size for path in index["files"]}
    assert sizes == {row["size"] for row in index["files"].values()}


def test_no_address_is_kept_in_a_mirror(site, tmp_path):
    fill_toy(site, tmp_path / "mirror")
    text = (tmp_path / "mirror/mirror.json").read_text()
    assert "://" not in text and "127.0.0.1" not in text


def test_a_second_run_fetches_nothing_and_needs_no_index(site, tmp_path, monkeypatch):
    fill_toy(site, tmp_path / "mirror")
    before = (tmp_path / "mirror/mirror.json").read_bytes()
    site.index.forget()
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    done = fill_toy(site, tmp_path / "mirror")
    assert done.fetched == 0 and site.index.asked == []
    assert (tmp_path / "mirror/mirror.json").read_bytes() == before


def test_the_wheels_folder_is_all_that_uv_needs(site, tmp_path):
    fill_toy(site, tmp_path / "mirror")
    (tmp_path / "wanted.txt").write_text("alpha==1.0\nbeta==1.0\ngamma==1.0\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    environment |= {
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(tmp_path / "mirror/wheels"),
        "UV_CACHE_DIR": str(tmp_path / "fresh"),
    }
    command = [sys.executable, "-m", "uv", "pip", "install", "--target", tmp_path / "installed"]
    subprocess.run([*command, "-r", tmp_path / "wanted.txt"], env=environment, check=True)
    assert (tmp_path / "installed/alpha/data.bin").stat().st_size == 300_000


def test_a_file_that_the_index_serves_altered_is_refused_and_the_others_are_kept(site, tmp_path):
    site.index.faults["beta-1.0-py3-none-any.whl"] = ["other"]
    with pytest.raises(IncompleteMirror) as caught:
        fill_toy(site, tmp_path / "mirror")
    assert caught.value.exit_code == 3
    (row,) = caught.value.missing
    assert row.label == "py-beta@1.0" and "served another file" in row.why
    held = open_mirror(tmp_path / "mirror").environments["toy"]
    assert len(held.files) == 3, "the index says what should be there"
    site.index.forget()
    assert fill_toy(site, tmp_path / "mirror").fetched == 1
    assert {name for name, _ in site.index.asked} == {"beta-1.0-py3-none-any.whl"}


def test_a_lock_whose_files_the_index_does_not_have_is_said_so(site, tmp_path):
    site.index.put("beta-1.0-py3-none-any.whl", b"PK another wheel")
    with pytest.raises((IncompleteMirror, EnvironmentProblem), match="beta"):
        fill_toy(site, tmp_path / "mirror")
    assert open_mirror(tmp_path / "mirror").environments["toy"].files


def test_an_index_out_of_reach_is_one_clear_error(site, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    (tmp_path / "uv.toml").write_text('no-index = true\nfind-links = ["http://127.0.0.1:9/"]\n')
    with pytest.raises(EnvironmentProblem, match="cannot find files in the package index"):
        fill_toy(site, tmp_path / "mirror")
    assert open_mirror(tmp_path / "mirror").environments["toy"].files


def test_a_file_damaged_since_is_fetched_again(site, tmp_path):
    fill_toy(site, tmp_path / "mirror")
    name, digest = next(iter(site.wheels.items()))
    stored = tmp_path / "mirror/_source-cache/archive" / digest[:2] / digest
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    site.index.forget()
    assert fill_toy(site, tmp_path / "mirror").fetched == 1
    assert sha256_file(stored) == digest and {row for row, _ in site.index.asked} == {name}


@pytest.mark.parametrize("content", ["notes.txt", "mirror.json/x"])
def test_a_folder_of_something_else_is_not_touched(site, tmp_path, content):
    path = tmp_path / "mirror" / content
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(EnvironmentProblem if "/" in content else InputError):
        fill_toy(site, tmp_path / "mirror")
    assert walk_mirror(tmp_path / "mirror") in (["notes.txt"], ["mirror.json/x"])


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 2}', '{"format": 1, "files": {"a": {"path": "../../a"}}}']
)
def test_a_damaged_index_is_refused_and_told_how_to_mend(site, tmp_path, text):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/mirror.json").write_text(text)
    with pytest.raises(InputError, match="put it aside"):
        fill_toy(site, tmp_path / "mirror")


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", ""])
def test_an_index_cannot_name_a_place_outside_of_the_mirror(site, tmp_path, path):
    fill_toy(site, tmp_path / "mirror")
    place = tmp_path / "mirror/mirror.json"
    data = json.loads(place.read_text())
    first = next(iter(data["files"].values()))
    for key, value in (("path", path), ("aliases", [path])):
        altered = json.loads(place.read_text())
        altered["files"] = {first["path"]: {**first, key: value}}
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other/mirror.json").write_text(json.dumps(altered))
        with pytest.raises(InputError, match="leads out of the mirror"):
            open_mirror(tmp_path / "other")


def test_files_of_a_mirror_whose_index_was_lost_are_not_fetched_again(site, tmp_path):
    fill_toy(site, tmp_path / "mirror")
    (tmp_path / "mirror/mirror.json").unlink()
    assert fill_toy(site, tmp_path / "mirror").fetched == 0


def test_two_environments_share_a_mirror_and_a_new_lock_lets_old_files_go(site, tmp_path):
    fill_toy(site, tmp_path / "mirror")
    other = site.workspace.environments / "other"
    other.mkdir()
    (other / "wheels.in").write_text("# Another.\nalpha\n")
    text = (site.environment / "wheels.lock").read_bytes()
    lock, environment = parse_lock(text, "it"), load_environment(site.workspace, "other")
    packages = tuple(row for row in lock.packages if row.name == "alpha")
    (other / "wheels.lock").write_bytes(
        render_lock("other", lock.python, environment.digest, environment.inputs, packages)
    )
    done = fill(site.workspace, want(site.workspace, "other"), tmp_path / "mirror", no_spack)
    assert (done.files, done.fetched) == (1, 0)
    index = open_mirror(tmp_path / "mirror")
    assert index.environments.keys() == {"toy", "other"} and len(index.files) == 3
    site.wheels.pop("gamma-1.0-py3-none-any.whl")
    site.lock()
    fill_toy(site, tmp_path / "mirror")
    assert len(open_mirror(tmp_path / "mirror").files) == 2


def test_two_runs_at_once_fetch_each_file_once(site, tmp_path):
    site.index.slow = 0.001
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                fill_toy(site, tmp_path / "mirror")
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [0, 0]
    fetched = [name for name, _ in site.index.asked]
    assert sorted(fetched) == sorted(site.wheels)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_run_that_is_killed_is_taken_up_and_nothing_is_fetched_twice(site, tmp_path, share):
    total = sum((site.index.folder / name).stat().st_size for name in site.wheels)
    site.index.slow = 0.002
    pid = os.fork()
    if pid == 0:
        fill_toy(site, tmp_path / "mirror")
        os._exit(0)
    while sum(site.index.sent.values()) < share * total:
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    held = open_mirror(tmp_path / "mirror").environments["toy"]
    assert len(held.files) == 3, "what is begun says what it needs"
    files = [path for path in (tmp_path / "mirror").rglob("*") if path.is_file()]
    data = [path for path in files if "archive" in path.parts or ".partial" in path.parts]
    kept = sum(path.stat().st_size for path in data)
    for path in data:
        if "archive" in path.parts:
            assert path.name == sha256_file(path), "what has its name is whole"
    time.sleep(0.05)
    site.index.slow = 0
    site.index.forget()
    fill_toy(site, tmp_path / "mirror")
    assert sum(site.index.sent.values()) == total - kept
    assert not (tmp_path / "mirror/.partial").exists()


def test_a_spack_lock_names_files_by_our_recipes_and_by_what_is_kept_of_builtin(site, tmp_path):
    delta = site.serve("delta")
    pip = site.serve("pip")
    site.recipe("fiducial_wheels", "py-delta", WHEEL.format(delta))
    site.recipe("fiducial", "fiducial", 'class It(BundlePackage):\n    version("1.0")\n')
    (site.workspace.root / "spack-repo/builtin-sources.yaml").write_text(
        "format: 1\nsources:\n  py-pip@1.0:\n    file: pip-1.0-py3-none-any.whl\n"
        f"    sha256: {pip}\n    extension: whl\n"
    )
    site.spack_lock(
        {
            "py-delta": {"namespace": "fiducial_wheels"},
            "py-pip": {},
            "python": {"external": {"path": "/usr"}},
            "python-venv": {},
            "fiducial": {"namespace": "fiducial"},
            "py-fiducial-core": {"namespace": "fiducial", "parameters": {"dev_path": "/x"}},
        }
    )
    wanted = want(site.workspace, "toy", ("spack",))
    assert [row.label for row in wanted.sources] and wanted.unknown == ()
    assert wanted.developed == ("py-fiducial-core@1.0",)
    fill(site.workspace, wanted, tmp_path / "mirror", no_spack)
    archive = tmp_path / "mirror/_source-cache/archive"
    assert sha256_file(archive / delta[:2] / delta) == delta
    assert sha256_file(archive / pip[:2] / f"{pip}.whl") == pip, "Spack appends the kind"
    assert not (tmp_path / "mirror/wheels/pip-1.0-py3-none-any.whl").exists()


def test_a_package_that_only_spack_knows_is_named_where_there_is_no_spack(site, tmp_path):
    site.spack_lock({"geant4": {"version": "11.4.1"}})
    with pytest.raises(IncompleteMirror, match=r"geant4@11\.4\.1.*only Spack") as caught:
        fill_toy(site, tmp_path / "mirror")
    assert "no Spack found" in str(caught.value)
    assert len(walk_mirror(tmp_path / "mirror")) == 9, "the wheels came all the same"
    assert open_mirror(tmp_path / "mirror").environments["toy"].absent == ("geant4@11.4.1",)


def test_a_version_that_has_no_archive_is_said_so(site):
    site.recipe(
        "fiducial",
        "py-fiducial-core",
        'class It(PythonPackage):\n    pypi = "it/it-1.0.tar.gz"\n    version("1.0")\n',
    )
    site.spack_lock({"py-fiducial-core": {"namespace": "fiducial"}})
    with pytest.raises(InputError, match="has no source archive"):
        want(site.workspace, "toy")


def test_mistakes_in_the_question_are_named(site):
    with pytest.raises(InputError, match=r"no environment 'tou'.*did you mean toy"):
        want(site.workspace, "tou")
    with pytest.raises(InputError, match=r"no builder 'spak'.*did you mean spack"):
        want(site.workspace, "toy", ("spak",))
    with pytest.raises(InputError, match="no lock at"):
        want(site.workspace, "toy", ("spack",))
