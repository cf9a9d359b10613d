"""A release is the same bytes for ever, refused while anything is amiss, and never forgotten."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.spack.bundle_recipe import read_distributions
from fiducial.stack.spack.changelog import date_section, find_section
from fiducial.stack.spack.release_plan import ReleasePlan, plan_release, write_release
from fiducial.stack.spack.releases import (
    drifted,
    make_archive,
    metadata_path,
    released_archives,
    releases_path,
    render_releases,
)
from fiducial.stack.spack.source_archive import SourceFile, archive_bytes
from fiducial.stack.spack.versions import conditions, runs
from fiducial.stack.workspace import Workspace

DAY = datetime.date(2026, 1, 31)
METADATA = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "fiducial-{name}"
version = "{version}"
description = "Something"
readme = "README.md"
requires-python = ">=3.11"
license = "Apache-2.0"
dependencies = [{needs}]
[tool.hatch.build.targets.wheel]
packages = ["src/fiducial"]
[tool.fiducial.recipe]
smoke = "import fiducial.{name}"
"""


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Change")


def write_component(root: Path, name: str, version: str = "0.1.0", needs: str = "") -> None:
    folder = root / "components" / name
    (folder / "src" / "fiducial" / name).mkdir(parents=True, exist_ok=True)
    (folder / "src" / "fiducial" / name / "__init__.py").write_text('"""Some."""\n')
    text = METADATA.format(name=name, version=version, needs=needs)
    (folder / "pyproject.toml").write_text(text)
    (folder / "README.md").write_text("# Some\n")
    (folder / "CHANGELOG.md").write_text(f"# Changes\n\n## {version} (unreleased)\n\n- News.\n")
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_it.py").write_text("")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed workspace of ``alpha``, and of ``beta`` that needs it."""
    root = tmp_path / "workspace"
    write_component(root, "alpha")
    write_component(root, "beta", needs='"fiducial-alpha>=0.1,<0.2"')
    (root / "environments").mkdir()
    (root / "environments" / "README.md").write_text("")
    (root / "LICENSE").write_text("The licence.\n")
    git(root.parent, "init", "-q", str(root))
    commit(root)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(root))
    return root


def release(root: Path, *names: str, again: bool = False) -> ReleasePlan:
    workspace = Workspace(root)
    plan = plan_release(workspace, names or list(workspace.components), DAY, again)
    write_release(plan)
    return plan


def refusal(root: Path, *names: str) -> str:
    before = git(root, "status", "--porcelain", "-uall")
    with pytest.raises(Mistakes) as caught:
        release(root, *names)
    assert git(root, "status", "--porcelain", "-uall") == before, "nothing was written"
    return str(caught.value)


def archives(root: Path, folder: Path) -> dict[str, bytes]:
    for row in released_archives(Workspace(root)):
        make_archive(Workspace(root), row, folder / row.filename)
        assert hashlib.sha256((folder / row.filename).read_bytes()).hexdigest() == row.sha256
    return {path.name: path.read_bytes() for path in folder.iterdir()}


FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(/[a-zA-Z_.é]{1,12}){0,3}", fullmatch=True).filter(
        lambda path: not {".", ".."} & set(path.split("/"))
    ),
    st.builds(
        lambda data, times, executable: SourceFile(data * times, executable),
        st.binary(max_size=30),
        st.sampled_from([0, 1, 5000]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(FILES, st.randoms(use_true_random=False))
def test_an_archive_depends_on_its_files_alone(
    files: dict[str, SourceFile], random: object
) -> None:
    rows = list(files.items())
    random.shuffle(rows)  # type: ignore[attr-defined]
    data = archive_bytes("some-1.0", files)
    assert data == archive_bytes("some-1.0", dict(rows))
    assert gzip.decompress(data)  # the standard library's reader checks lengths and CRC
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for entry in archive.getmembers():
            assert (entry.uid, entry.gid, entry.uname, entry.mtime) == (0, 0, "", 1577836800)
            content = archive.extractfile(entry)
            assert content is not None
            found[entry.name.removeprefix("some-1.0/")] = SourceFile(
                content.read(), bool(entry.mode & 0o100)
            )
    assert found == files


def test_an_archive_holds_what_installing_needs_and_no_tests(root: Path, tmp_path: Path) -> None:
    release(root)
    data = archives(root, tmp_path / "out")["fiducial_alpha-0.1.0.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = {name.removeprefix("fiducial_alpha-0.1.0/") for name in archive.getnames()}
        texts = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"}
        assert names == texts | {"src/fiducial/alpha/__init__.py"}
        archive.extractall(tmp_path / "source", filter="data")
    build = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(build, cwd=tmp_path / "source/fiducial_alpha-0.1.0", check=True, timeout=120)


def test_a_release_dates_the_changelog_and_keeps_the_metadata(root: Path) -> None:
    release(root, "fiducial-alpha")
    assert "## 0.1.0 (2026-01-31)" in (root / "components/alpha/CHANGELOG.md").read_text()
    kept = metadata_path(Workspace(root), "fiducial-alpha", "0.1.0")
    assert kept.read_bytes() == (root / "components/alpha/pyproject.toml").read_bytes()
    (row,) = released_archives(Workspace(root))
    commit(root)
    assert git(root, "rev-parse", "HEAD:components/alpha").strip() == row.tree
    assert git(root, "rev-parse", "HEAD:LICENSE").strip() == row.licence


def test_releasing_leaves_git_as_it_was_and_a_second_time_changes_nothing(root: Path) -> None:
    objects = git(root, "count-objects", "-v")
    index = (root / ".git/index").read_bytes()
    first = release(root)
    assert (len(first.new), len(first.standing)) == (2, 0)
    assert git(root, "count-objects", "-v") == objects
    assert (root / ".git/index").read_bytes() == index
    second = release(root)
    assert (len(second.new), len(second.standing), second.texts) == (0, 2, {})


def test_archives_are_made_again_from_history_after_the_component_moved_on(
    root: Path, tmp_path: Path
) -> None:
    release(root)
    commit(root)
    before = archives(root, tmp_path / "first")
    write_component(root, "alpha", "0.1.1")
    (root / "LICENSE").write_text("Another licence.\n")
    commit(root)
    assert archives(root, tmp_path / "second") == before
    (found,) = drifted(Workspace(root))
    assert (found.component.name, found.files) == ("fiducial-beta", ("LICENSE",))


def test_archives_are_made_from_the_checkout_where_there_is_no_history(
    root: Path, tmp_path: Path
) -> None:
    release(root)
    before = archives(root, tmp_path / "first")
    exported = tmp_path / "exported"
    shutil.copytree(root, exported, ignore=shutil.ignore_patterns(".git"))
    for path in exported.rglob("*"):
        os.utime(path, (1, 1))
    assert archives(exported, tmp_path / "second") == before
    (exported / "components/alpha/README.md").write_text("moved on\n")
    with pytest.raises(EnvironmentProblem, match=r"cannot be made again.*unshallow"):
        archives(exported, tmp_path / "third")
    assert not (tmp_path / "third/fiducial_alpha-0.1.0.tar.gz").exists()


def test_an_edited_pin_is_found_when_the_archive_is_made(root: Path, tmp_path: Path) -> None:
    release(root)
    commit(root)
    path = releases_path(Workspace(root))
    (row, _) = released_archives(Workspace(root))
    path.write_text(path.read_text().replace(row.sha256, "0" * 64))
    with pytest.raises(InputError, match=r"not the released one.*releases\.yaml says 000000"):
        archives(root, tmp_path)


def test_uncommitted_files_are_refused_also_unknown_ones(root: Path) -> None:
    (root / "components/alpha/README.md").write_text("changed\n")
    (root / "components/beta/src/fiducial/beta/more.py").write_text("")
    text = refusal(root)
    assert "fiducial-alpha 0.1.0: is not committed: components/alpha/README.md" in text
    assert (
        "fiducial-beta 0.1.0: is not committed: components/beta/src/fiducial/beta/more.py" in text
    )


def test_a_version_that_is_released_with_other_content_is_refused(root: Path) -> None:
    release(root)
    (root / "components/alpha/README.md").write_text("changed\n")
    commit(root)
    assert "is released already, with other content" in refusal(root)
    old = {row.component: row.sha256 for row in released_archives(Workspace(root))}
    plan = release(root, again=True)
    assert [row.component for row in plan.new] == ["fiducial-alpha"]
    new = {row.component: row.sha256 for row in released_archives(Workspace(root))}
    assert new["fiducial-alpha"] != old["fiducial-alpha"]
    assert new["fiducial-beta"] == old["fiducial-beta"]


def test_pins_without_a_day_are_made_anew_with_one(root: Path) -> None:
    workspace = Workspace(root)
    write_release(plan_release(workspace, list(workspace.components), None))
    commit(root)
    assert len(plan_release(workspace, list(workspace.components), DAY).standing) == 2
    assert len(release(root, again=True).new) == 2
    assert "## 0.1.0 (2026-01-31)" in (root / "components/alpha/CHANGELOG.md").read_text()
    assert len(release(root, again=True).standing) == 2


def test_a_changelog_without_the_version_is_refused(root: Path) -> None:
    (root / "components/alpha/CHANGELOG.md").write_text(
        "# Changes\n\n## 0.0.9 (2025-01-01)\n\n- A.\n"
    )
    (root / "components/beta/CHANGELOG.md").write_text("# Changes\n\n## 0.1.0 (unreleased)\n\n")
    commit(root)
    text = refusal(root)
    assert "no section for it: write '## 0.1.0 (unreleased)'" in text
    assert "an empty section" in text


def test_ranges_that_exclude_a_release_and_needs_without_one_are_refused(root: Path) -> None:
    text = refusal(root, "fiducial-beta")
    assert "needs fiducial-alpha<0.2,>=0.1, of which there is no release" in text
    assert "release fiducial-alpha with it" in text
    write_component(root, "alpha", "0.2.0")
    commit(root)
    text = refusal(root, "fiducial-alpha")
    assert "fiducial-beta needs fiducial-alpha<0.2,>=0.1: widen the range" in text
    assert "components/beta/pyproject.toml" in text


def test_development_versions_and_places_without_git_are_refused(root: Path) -> None:
    write_component(root, "alpha", "0.1.1.dev1")
    commit(root)
    assert "is no release version" in refusal(root, "fiducial-alpha")
    shutil.rmtree(root / ".git")
    with pytest.raises(EnvironmentProblem, match="no git repository"):
        release(root)


def test_a_change_after_the_release_is_named_unless_the_version_moved(root: Path) -> None:
    release(root)
    commit(root)
    (root / "components/alpha/tests/test_more.py").write_text("")
    assert drifted(Workspace(root)) == [], "tests are in no archive"
    (root / "components/alpha/src/fiducial/alpha/more.py").write_text("")
    (root / "components/alpha/README.md").write_text("changed\n")
    (found,) = drifted(Workspace(root))
    assert found.component.name == "fiducial-alpha"
    assert found.files == ("README.md", "src/fiducial/alpha/more.py")
    path = root / "components/alpha/pyproject.toml"
    path.write_text(path.read_text().replace("0.1.0", "0.1.1"))
    assert drifted(Workspace(root)) == []


def test_the_list_of_releases_is_read_as_it_was_written(root: Path) -> None:
    release(root)
    rows = released_archives(Workspace(root))
    assert render_releases(list(reversed(rows))) == releases_path(Workspace(root)).read_text()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"0.1.0": {fiducial-alpha: "0.1.0", fiducial-beta: "0.1.0"}', ""),
        ('"0.1.0": {fiducial-beta: "0.1.0"}', "needs fiducial-alpha<0.2,>=0.1: it has none"),
        ('"0.1.0": {fiducial-alpa: "0.1.0"}', "did you mean fiducial-alpha"),
        ('"0.1.0": {fiducial-alpha: "0.2.0"}', "0.2.0 is not released: released: 0.1.0"),
        ('0.1: {fiducial-alpha: "0.1.0"}', "in quotes"),
        ("[1", "not readable YAML"),
        ("- a", "not a mapping"),
    ],
)  # fmt: skip
def test_a_distribution_lists_releases_that_allow_one_another(
    root: Path, text: str, problem: str
) -> None:
    release(root)
    (root / "spack-repo/distributions.yaml").write_text(text)
    workspace = Workspace(root)
    if not problem:
        assert list(read_distributions(workspace, released_archives(workspace))) == ["0.1.0"]
        return
    with pytest.raises(InputError, match=problem.replace("(", r"\(")):
        read_distributions(workspace, released_archives(workspace))


def test_a_distribution_is_listed_when_it_is_released(root: Path) -> None:
    workspace = Workspace(root)
    write_release(plan_release(workspace, ["fiducial-alpha"], DAY))
    with pytest.raises(Mistakes, match=r"distribution 1\.0: fiducial-beta 0\.1\.0 is not released"):
        plan_release(workspace, ["fiducial-alpha"], DAY, distribution="1.0")
    write_release(plan_release(workspace, ["fiducial-beta"], DAY, distribution="1.0"))
    listed = read_distributions(workspace, released_archives(workspace))
    assert listed == {"1.0": {"fiducial-alpha": "0.1.0", "fiducial-beta": "0.1.0"}}
    commit(root)
    write_component(root, "alpha", "0.1.1")
    commit(root)
    workspace = Workspace(root)
    with pytest.raises(Mistakes, match="is listed already, with other components"):
        plan_release(workspace, ["fiducial-alpha"], DAY, distribution="1.0")
    with pytest.raises(Mistakes, match="is no release version"):
        plan_release(workspace, ["fiducial-alpha"], DAY, distribution="one")
    write_release(plan_release(workspace, ["fiducial-alpha"], DAY, distribution="1.1"))
    listed = read_distributions(workspace, released_archives(workspace))
    assert listed["1.1"]["fiducial-alpha"] == "0.1.1" and listed["1.0"]["fiducial-alpha"] == "0.1.0"


def test_a_section_is_found_by_its_whole_version_and_dated_alone() -> None:
    text = "# C\n\n## 0.1.10 (unreleased)\n\n- B.\n\n## 0.1.1 (2025-01-01)\n\n- A.\n"
    section = find_section(text, "0.1.10")
    assert section is not None and section.when == "unreleased" and not section.empty
    assert date_section(text, section, DAY) == text.replace("unreleased", "2026-01-31")
    assert find_section(text, "0.1") is None
    assert find_section("## 1.0 (unreleased)\n\n## 0.9 (x)\n- A.\n", "1.0").empty  # type: ignore[union-attr]


@given(st.lists(st.sampled_from("abc"), max_size=3), st.data())
def test_conditions_name_exactly_the_versions_that_have_something(
    extra: list[str], data: st.DataObject
) -> None:
    versions = ["0.1.0", "0.1.1", "0.2.0", "0.10.0", "1.0"]
    rows = {
        version: data.draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))
        for version in versions
    }
    held: dict[str, set[str]] = {}
    for row, when in conditions(rows):
        low, _, high = when.removeprefix("@").removeprefix("=").partition(":")
        first = versions.index(low) if low else 0
        last = versions.index(high or low) if low else len(versions) - 1
        held.setdefault(row, set()).update(versions[first : last + 1])
    for row in "abc":
        assert held.get(row, set()) == {version for version in versions if row in rows[version]}
    assert runs(versions, versions) == [""]


def run(*arguments: str) -> tuple[int, str]:
    from fiducial.stack.cli.cmd_component import app

    done = CliRunner().invoke(app, list(arguments))
    code = getattr(done.exception, "exit_code", done.exit_code)
    return code, done.output + (str(done.exception) if code else "")


def test_the_commands_release_make_and_check(root: Path, tmp_path: Path) -> None:
    assert run("check") == (0, "no component changed under a released version (0 releases)\n")
    assert run("archive", str(tmp_path / "out")) == (0, "no version is released yet\n")
    code, text = run("release", "--all", "--dry-run")
    assert code == 0 and "fiducial-alpha 0.1.0: would be released" in text
    assert not releases_path(Workspace(root)).exists()
    code, text = run("release", "--all", "--json")
    assert code == 0 and json.loads(text)["written"]
    assert "stands released as it is" in run("release", "fiducial-alpha")[1]
    code, text = run("archive", str(tmp_path / "out"), "fiducial-alpha")
    assert code == 0 and "fiducial_alpha-0.1.0.tar.gz: made" in text
    assert "stands" in run("archive", str(tmp_path / "out"), "fiducial-alpha")[1]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fiducial_alpha-0.1.0.tar.gz"]
    commit(root)
    (root / "components/alpha/README.md").write_text("changed\n")
    code, text = run("check")
    assert code == 1 and "fiducial-alpha 0.1.0: README.md" in text
    assert json.loads(run("check", "--json")[1].partition("1 components")[0])[0]["files"] == [
        "README.md"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["release"], "name components, or say --all"),
        (["release", "fiducial-alpha", "--all"], "name components, or say --all"),
        (["release", "fiducial-alhpa"], "did you mean fiducial-alpha"),
        (["archive", "out", "alpha"], "no component 'alpha'"),
    ],
)
def test_wrong_use_is_refused_with_the_nearest_names(
    root: Path, arguments: list[str], problem: str
) -> None:
    code, text = run(*arguments)
    assert code == 2 and problem in text
