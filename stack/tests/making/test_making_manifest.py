"""The manifest: one serialisation, and every altered, missing or extra file by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.stack.errors import InputError, Mistakes, StackError
from fiducial.stack.manifest import File, Manifest, parse_manifest, read_manifest
from fiducial.stack.verify import AlteredStack, verify


def _refusal(prefix: Path) -> dict[str, str]:
    with pytest.raises(AlteredStack) as caught:
        verify(prefix)
    assert caught.value.exit_code == 1
    return {row.path: row.kind for row in caught.value.differences}


def test_it_reads_back_as_it_was_and_is_plain_json(toy_stack: Path) -> None:
    data = (toy_stack / "manifest.json").read_bytes()
    manifest = parse_manifest(data)
    assert manifest.to_bytes() == data
    assert json.dumps(json.loads(data), indent=1, ensure_ascii=False) + "\n" == data.decode()


def test_every_kind_of_damage_is_named(stack_copy: Path) -> None:
    manifest = read_manifest(stack_copy)
    paths = [path for path, entry in manifest.entries().items() if isinstance(entry, File)]
    altered, cut, gone, opened, relinked = paths[0], paths[1], paths[2], paths[3], paths[4]
    data = bytearray((stack_copy / altered).read_bytes())
    data[0] ^= 1
    (stack_copy / altered).write_bytes(data)
    (stack_copy / cut).write_bytes((stack_copy / cut).read_bytes()[:-1])
    (stack_copy / gone).unlink()
    (stack_copy / opened).chmod(0o777)
    (stack_copy / relinked).rename(stack_copy / "elsewhere")
    (stack_copy / relinked).symlink_to("elsewhere")
    (stack_copy / "lib64").unlink()
    (stack_copy / "lib64").symlink_to("/lib")
    assert _refusal(stack_copy) == {
        altered: "altered",
        cut: "altered",
        gone: "missing",
        opened: "altered",
        relinked: "altered",
        "lib64": "altered",
        "elsewhere": "extra",
    }


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_one_changed_bit_in_any_file_is_found(toy_stack: Path, data: st.DataObject) -> None:
    entries = read_manifest(toy_stack).entries()
    files = [path for path, e in entries.items() if isinstance(e, File) and e.size]
    name = data.draw(st.sampled_from(files))
    path = toy_stack / name
    original = path.read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    try:
        altered = bytearray(original)
        altered[position] ^= bit
        path.write_bytes(altered)
        assert _refusal(toy_stack) == {name: "altered"}
    finally:
        path.write_bytes(original)
    verify(toy_stack)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_an_altered_manifest_never_passes_for_the_old_one(
    toy_stack: Path, data: st.DataObject
) -> None:
    original = (toy_stack / "manifest.json").read_bytes()
    manifest = parse_manifest(original)
    position = data.draw(st.integers(0, len(original) - 1))
    altered = (
        original[:position] + bytes([data.draw(st.integers(0, 255))]) + original[position + 1 :]
    )
    if altered == original:
        return
    try:
        other = parse_manifest(altered)
    except StackError as error:
        assert error.exit_code == 2
    else:
        assert other.sha256 != manifest.sha256


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (lambda m: m | {"format": 2}, "format 2"),
        (lambda m: m | {"colour": "red"}, "colour"),
        (lambda m: m | {"lock_sha256": "x"}, "lock_sha256"),
        (lambda m: m | {"files": {"../x": {"link": "y"}}}, "does not stay below"),
        (lambda m: m | {"files": {"/etc/passwd": {"link": "y"}}}, "does not stay below"),
        (lambda m: m | {"files": {"a//b": {"link": "y"}}}, "plain relative path"),
        (lambda m: m | {"packages": m["packages"][::-1]}, "sorted by name"),
        (lambda m: m | {"files": m["packages"][0]["files"] | m["files"]}, "belongs to"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused(
    toy_stack: Path, alter: object, expected: str
) -> None:
    record = json.loads((toy_stack / "manifest.json").read_bytes())
    altered = alter(record)  # type: ignore[operator]
    altered["files"] = dict(sorted(altered["files"].items()))
    with pytest.raises((InputError, Mistakes), match=expected):
        parse_manifest((json.dumps(altered, indent=1) + "\n").encode())


def test_the_same_content_written_otherwise_is_refused(toy_stack: Path) -> None:
    record = json.loads((toy_stack / "manifest.json").read_bytes())
    with pytest.raises(InputError, match="was altered"):
        parse_manifest(json.dumps(record).encode())


def test_a_place_without_a_manifest_is_no_stack(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a stack"):
        read_manifest(tmp_path)


def test_a_pipe_in_a_stack_is_not_read_for_ever(stack_copy: Path) -> None:
    manifest: Manifest = read_manifest(stack_copy)
    name = next(path for path, e in manifest.entries().items() if isinstance(e, File))
    (stack_copy / name).unlink()
    os.mkfifo(stack_copy / name)
    assert _refusal(stack_copy)[name] == "altered"
