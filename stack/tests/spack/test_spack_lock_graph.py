"""A Spack lock is read whole, or refused with every node that was edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.spack.lock_graph import node_hash, parse_spack_lock, read_spack_lock

from .spack_lock_maker import Package, lock_bytes

DATA = Path(__file__).parent / "data"
SAMPLES = sorted(DATA.glob("*.spack.lock"))


def document(sample: Path = DATA / "python_usr.spack.lock") -> dict[str, Any]:
    return json.loads(sample.read_bytes())  # type: ignore[no-any-return]


def entry(lock: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in lock["concrete_specs"].values() if row["name"] == name)


def refused(lock: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_spack_lock(json.dumps(lock).encode(), "edited.lock")
    return str(caught.value)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_hashes_are_those_that_spack_wrote(sample: Path) -> None:
    entries = document(sample)["concrete_specs"]
    assert len(entries) > 10
    assert {dag: node_hash(row) for dag, row in entries.items()} == {dag: dag for dag in entries}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_samples_hold_no_path_but_the_externals(sample: Path) -> None:
    lock = read_spack_lock(sample)
    paths = {str(node.content["external"]["path"]) for node in lock.nodes.values() if node.external}
    assert paths <= {"/usr", "/opt/python"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", "9.9"), ("package_hash", "x"), ("parameters", {}), ("namespace", "elsewhere")],
)
def test_an_edited_package_is_named(key: str, value: object) -> None:
    lock = document()
    entry(lock, "py-numpy")[key] = value
    message = refused(lock)
    assert "py-numpy" in message and "its content gives" in message
    assert "py-awkward" not in message, "those that depend on it were not edited"


def test_an_edited_hash_names_the_package_and_everybody_who_depends_on_it() -> None:
    lock = document()
    row = entry(lock, "py-attrs")
    lock["concrete_specs"]["a" * 32] = {**row, "hash": "a" * 32}
    del lock["concrete_specs"][row["hash"]]
    message = refused(lock)
    assert f"py-attrs@26.1.0 /aaaaaaa: its hash says {'a' * 32}" in message
    assert f"depends on py-attrs /{row['hash'][:7]}, which the lock lacks" in message


def test_a_root_that_is_absent_is_named() -> None:
    lock = document()
    lock["roots"].append({"hash": "b" * 32, "spec": "py-gone"})
    assert "root py-gone: /bbbbbbb is not in the lock" in refused(lock)


def test_every_edit_is_named_at_once() -> None:
    lock = document()
    for name in ("py-numpy", "py-zipp", "python"):
        entry(lock, name)["version"] = "0"
    message = refused(lock)
    assert all(name in message for name in ("py-numpy", "py-zipp", "python@0"))


def test_a_package_of_a_format_whose_hash_cannot_be_checked_is_refused() -> None:
    lock = document()
    entry(lock, "py-zipp")["annotations"] = {"original_specfile_version": 4}
    assert "its hash cannot be checked" in refused(lock)


def test_a_spliced_package_ends_like_the_one_it_was_built_as() -> None:
    row = {"name": "a", "version": "1", "build_spec": {"name": "a", "hash": "x" * 25 + "abcdefg"}}
    assert node_hash(row).endswith("abcdefg")
    assert node_hash(row)[:25] != "x" * 25


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "is not a spack.lock"),
        (b"[]", "is not a spack.lock"),
        (b'{"_meta": {}}', "is not a spack.lock"),
        (b'{"_meta": {"file-type": "spack-lockfile", "lockfile-version": 5}}', "has format"),
        (b'{"_meta": {"file-type": "other", "lockfile-version": 6}}', "has format other"),
        (b'{"_meta": {"file-type": "spack-lockfile", "lockfile-version": 6}}', "is damaged"),
    ],
)
def test_what_is_not_a_lock_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_spack_lock(data, "some.lock")


def test_an_absent_or_unreadable_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no lock at .*: make it with: spack -e"):
        read_spack_lock(tmp_path / "spack.lock")
    with pytest.raises(EnvironmentProblem, match="cannot read"):
        read_spack_lock(tmp_path)


def test_what_is_linked_or_run_is_told_from_what_is_only_built_with() -> None:
    packages = {
        "tool": Package("tool"),
        "library": Package("library"),
        "root": Package("root", needs={"library": ()}),
    }
    lock = json.loads(lock_bytes(packages, ["root", "tool"]))
    lock["roots"] = lock["roots"][:1]
    used = parse_spack_lock(json.dumps(lock).encode(), "x")
    assert {used.nodes[dag].name for dag in used.used()} == {"root", "library"}
    sample = read_spack_lock(DATA / "python_usr.spack.lock")
    names = {sample.nodes[dag].name for dag in sample.used()}
    assert "py-numpy" in names and not names & {"py-pip", "py-wheel"}


def test_a_lock_that_is_edited_is_a_mistake_of_the_input() -> None:
    lock = document()
    entry(lock, "python")["external"]["path"] = "/opt/other"
    with pytest.raises(Mistakes) as caught:
        parse_spack_lock(json.dumps(lock).encode(), "edited.lock")
    assert caught.value.exit_code == 2
