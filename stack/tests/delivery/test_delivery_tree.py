"""A manifest from a repository cannot write outside of its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiducial.stack.manifest import File, Link
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.tree import judge_paths, tree_of

FILE = File(sha256="a" * 64, size=1, mode="644")
HOSTILE = {
    "absolute": {"/etc/passwd": FILE},
    "parent": {"../outside": FILE},
    "parent inside": {"lib/../../outside": FILE},
    "dot": {"./a": FILE},
    "empty part": {"a//b": FILE},
    "trailing slash": {"a/": FILE},
    "empty": {"": FILE},
    "newline": {"a\nb": FILE},
    "escape": {"a\x1b[2Jb": FILE},
    "null": {"a\0b": FILE},
    "line separator": {"a\u2028b": FILE},
    "surrogate": {"a\udc80b": FILE},
    "long name": {"a" * 256: FILE},
    "long path": {"/".join(["abcdefg"] * 200): FILE},
    "absolute link": {"a": Link(link="/etc")},
    "escaping link": {"lib/a": Link(link="../../etc")},
    "escape through a link": {"a": Link(link="lib/deep"), "lib/deep": Link(link="../../x")},
    "a chain of links that escapes": {
        "d/x": FILE,
        "up": Link(link="d/.."),
        "out": Link(link="up/../../etc"),
    },
    "loop": {"a": Link(link="b"), "b": Link(link="a")},
    "empty link": {"a": Link(link="")},
    "link with null": {"a": Link(link="b\0c")},
    "a file as folder": {"a": FILE, "a/b": FILE},
    "a link as folder": {"lib": Link(link="other"), "lib/b": FILE, "other/c": FILE},
    "a link as grandfather": {"lib": Link(link="other"), "lib/deep/b": FILE, "other/c": FILE},
    "world writable": {"a": File(sha256="a" * 64, size=1, mode="666")},
    "the manifest": {"manifest.json": FILE},
    "the binding": {"bin/python": FILE},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_path_is_refused(name):
    failures = judge_paths(HOSTILE[name], ("manifest.json", "bin/python"))
    assert failures
    assert {failure.kind for failure in failures} == {Refusal.HOSTILE_PATH}
    assert all(str(failure).isprintable() for failure in failures)


def test_every_hostile_path_is_named():
    entries = {"../a": FILE, "good": FILE, "/b": FILE}
    assert len({failure.subject for failure in judge_paths(entries)}) == 2


def test_ordinary_paths_are_accepted():
    entries = {
        "bin/tool": FILE, "lib/python3.11/site-packages/a b/ü.py": FILE,
        "lib64": Link(link="lib"), "lib/libx.so": Link(link="libx.so.1"), "lib/libx.so.1": FILE,
        "lib/deep/up": Link(link="../libx.so.1"), "lib/dangling": Link(link="nothing"),
    }  # fmt: skip
    assert judge_paths(entries) == []


parts = st.text("ab./\\\n-", min_size=0, max_size=4)
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
entries_ = st.dictionaries(paths, st.one_of(st.just(FILE), paths.map(lambda p: Link(link=p))))


@given(entries_)
def test_what_is_accepted_stays_below_the_folder_when_it_is_really_written(tmp_path_factory, tree):
    """The judgement against the operating system: write what passed, and look where it went."""
    if judge_paths(tree):
        return
    root = tmp_path_factory.mktemp("tree").resolve()
    inside = root / "inside"
    inside.mkdir()
    for path, entry in tree.items():
        (inside / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, Link):
            (inside / path).symlink_to(entry.link)
        else:
            (inside / path).write_bytes(b"x")
    assert [entry.name for entry in root.iterdir()] == ["inside"]
    for path in tree:
        assert (inside / path).resolve().is_relative_to(inside)


def test_a_hostile_manifest_is_refused_before_anything_is_written(site):
    manifest = site.manifest("base-1", {"lib/one.py": FILE})
    hostile = manifest.model_copy(update={"files": {"a\nb": FILE}})
    with pytest.raises(Refused) as caught:
        tree_of(hostile)
    assert caught.value.kinds == {Refusal.HOSTILE_PATH}
