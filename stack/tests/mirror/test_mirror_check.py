"""What is wrong with a mirror is found, named, and mended where it can be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fiducial.stack.errors import InputError
from fiducial.stack.spack.mirror_layout import open_mirror
from fiducial.stack.spack.source_mirror import check, fill, repair
from fiducial.stack.spack.wanted_sources import want


def no_spack():
    raise AssertionError("nobody asks for Spack")


@pytest.fixture
def mirror(site, tmp_path) -> Path:
    fill(site.workspace, want(site.workspace, "toy"), tmp_path / "mirror", no_spack)
    site.index.forget()
    return tmp_path / "mirror"


def stored(mirror: Path, name: str) -> Path:
    return (mirror / f"py-{name}/py-{name}-1.0").resolve()


def kinds(mirror: Path) -> list[tuple[str, str]]:
    return [(row.kind, row.label or row.path) for row in check(mirror)[1].findings]


def test_a_whole_mirror_is_found_whole(mirror):
    index, state = check(mirror)
    assert state.findings == () and len(state.sizes) == len(index.files) == 3


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"), "corrupt"),
        (lambda path: os.truncate(path, 100), "corrupt"),
        (lambda path: path.write_bytes(b""), "corrupt"),
        (lambda path: path.unlink(), "missing"),
        (lambda path: (path.unlink(), path.mkdir()), "corrupt"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "corrupt"),
    ],
)
def test_every_damage_is_named_and_repaired_by_fetching_just_that(site, mirror, damage, kind):
    path = stored(mirror, "beta")
    damage(path)
    findings = [row for row in check(mirror)[1].findings if row.kind != "link"]
    assert [(row.kind, row.label) for row in findings] == [(kind, "py-beta@1.0")]
    state, not_had = repair(mirror, None)
    assert state.findings == () and not_had == []
    assert [name for name, _ in site.index.asked] == ["beta-1.0-py3-none-any.whl"]
    assert check(mirror)[1].findings == ()


def test_links_are_remade_without_a_fetch(site, mirror):
    (mirror / "wheels/beta-1.0-py3-none-any.whl").unlink()
    link = mirror / "py-alpha/py-alpha-1.0"
    link.unlink()
    link.symlink_to("../elsewhere")
    assert kinds(mirror) == [
        ("link", "py-alpha/py-alpha-1.0"),
        ("link", "wheels/beta-1.0-py3-none-any.whl"),
    ]
    assert repair(mirror, None)[0].findings == () and site.index.asked == []


def test_superfluous_files_are_named_and_go_only_when_that_is_said(mirror):
    (mirror / "wheels/own.txt").write_text("mine")
    (mirror / "_source-cache/archive/00").mkdir(exist_ok=True)
    (mirror / "_source-cache/archive/00/00ff").write_bytes(b"?")
    named = [("superfluous", "_source-cache/archive/00/00ff"), ("superfluous", "wheels/own.txt")]
    assert kinds(mirror) == named
    assert [row.kind for row in repair(mirror, None)[0].findings] == ["superfluous"] * 2
    assert repair(mirror, None, prune=True)[0].findings == ()
    assert not (mirror / "wheels/own.txt").exists()


def test_what_cannot_be_repaired_is_told_with_its_reason(site, mirror):
    stored(mirror, "beta").unlink()
    site.index.faults["beta-1.0-py3-none-any.whl"] = ["404"]
    state, (not_had,) = repair(mirror, None)
    assert [row.kind for row in state.findings if row.kind != "link"] == ["missing"]
    assert not_had.label == "py-beta@1.0" and "404" in not_had.why


def test_unfinished_files_are_no_part_of_the_mirror(mirror):
    (mirror / ".partial").mkdir()
    (mirror / ".partial/abc").write_bytes(b"half")
    assert check(mirror)[1].findings == ()


def test_a_folder_without_an_index_is_no_mirror(tmp_path):
    with pytest.raises(InputError, match=r"is no source mirror .*mirror\.json"):
        check(tmp_path)


def test_a_copy_of_a_mirror_is_as_good(mirror, tmp_path):
    copy = Path(shutil.copytree(mirror, tmp_path / "disk", symlinks=True))
    shutil.rmtree(mirror)
    assert check(copy)[1].findings == () and open_mirror(copy).environments["toy"].files
