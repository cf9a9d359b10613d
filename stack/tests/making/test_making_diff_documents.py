"""``fiducial diff`` opens stacks and locks of both builders, and compares any two."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fiducial.stack.diff.documents import compare, open_document
from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.lockfile import LockedPackage, parse_lock, render_lock
from fiducial.stack.spack.lock_diff import LockDiff

from .conftest import Toy

TESTS = Path(__file__).parents[1]
SPACK = TESTS / "spack" / "data"
FORMAT = TESTS.parents[1] / "docs" / "formats" / "diff.md"


def wheel(name: str, version: str, digest: str = "a", marker: str = "") -> LockedPackage:
    files = {digest * 64: f"{name}-{version}-{digest}-py3-none-any.whl"}
    return LockedPackage(name, version, marker, files)


def wheels_lock(
    *packages: LockedPackage, environment: str = "toy", **inputs: tuple[str, ...]
) -> bytes:
    labels = {label.replace("_", "."): rows for label, rows in inputs.items()}
    return render_lock(environment, ">=3.11", "d" * 64, labels, tuple(packages))


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    """The wheel lock of what the Spack sample has."""
    document = json.loads((SPACK / "python_usr.spack.lock").read_bytes())
    nodes = {row["name"]: row["version"] for row in document["concrete_specs"].values()}
    names = sorted(name for name in nodes if name.startswith("py-"))
    names = [name for name in names if name not in ("py-pip", "py-wheel")]
    packages = [wheel(name.removeprefix("py-"), nodes[name]) for name in names]
    path = tmp_path / "wheels.lock"
    path.write_bytes(wheels_lock(*packages))
    return path


def answer(*words: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "fiducial.stack.cli.app", "diff", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_input_that_names_a_package_is_the_cause_of_its_move(tmp_path: Path) -> None:
    old, new = tmp_path / "old.lock", tmp_path / "new.lock"
    old.write_bytes(
        wheels_lock(
            wheel("numpy", "2.4"),
            wheel("rich", "15.0"),
            wheel("uproot", "5.7"),
            wheels_in=("fiducial-io",),
            pins_yaml=("rich==15.0",),
            **{"fiducial-io 0.1.0": ("numpy>=2.0", "uproot>=5.6")},
        )
    )
    new.write_bytes(
        wheels_lock(
            wheel("numpy", "2.3"),
            wheel("rich", "14.0"),
            wheel("uproot", "5.7", "b"),
            wheel("six", "1"),
            wheels_in=("fiducial-io",),
            pins_yaml=("rich==14.0",),
            **{"fiducial-io 0.2.0": ("NumPy<2.4", "uproot>=5.6")},
        )
    )
    found = compare(open_document(old), open_document(new))
    assert not isinstance(found, LockDiff)
    rows = {row.name: (row.kind, row.causes, row.why) for row in found.packages}
    assert rows == {
        "numpy": (
            "changed",
            ("component",),
            "fiducial-io 0.1.0 -> fiducial-io 0.2.0: +NumPy<2.4, -numpy>=2.0",
        ),
        "rich": ("changed", ("pin",), "pins.yaml: +rich==14.0, -rich==15.0"),
        "six": ("added", ("lock",), "resolved anew with the inputs that moved"),
        "uproot": ("changed", ("lock",), "resolved anew with the inputs that moved"),
    }
    assert [row.name for row in found.downgrades] == ["numpy", "rich"]
    (uproot,) = [row for row in found.packages if row.name == "uproot"]
    assert [file.kind for file in uproot.files] == ["removed", "added"]


def test_a_package_that_moved_although_no_input_did_is_laid_to_the_index(tmp_path: Path) -> None:
    old, new = tmp_path / "old.lock", tmp_path / "new.lock"
    old.write_bytes(wheels_lock(wheel("rich", "15.0")))
    new.write_bytes(wheels_lock(wheel("rich", "15.1")))
    found = compare(open_document(old), open_document(new))
    assert not isinstance(found, LockDiff)
    assert [row.causes for row in found.packages] == [("index",)]
    assert not found.downgrades


def test_the_highest_version_of_a_forked_entry_counts(tmp_path: Path) -> None:
    old, new = tmp_path / "old.lock", tmp_path / "new.lock"
    low, high = "python_version < '3.12'", "python_version >= '3.12'"
    old.write_bytes(wheels_lock(wheel("numpy", "2.10")))
    new.write_bytes(wheels_lock(wheel("numpy", "2.9", "a", low), wheel("numpy", "2.11", "b", high)))
    assert compare(open_document(old), open_document(new)).downgrades == ()
    assert len(compare(open_document(new), open_document(old)).downgrades) == 1


def test_a_wheel_lock_and_a_spack_lock_agree_in_spite_of_what_spack_needs_itself(
    lock_path: Path,
) -> None:
    code, out, _ = answer(lock_path, SPACK / "python_usr.spack.lock")
    assert code == 0
    assert "have the same versions" in out
    assert "python-venv@1.0, python@3.11.2" in out, "said, and no difference"
    code, out, _ = answer(lock_path, SPACK / "python_opt.spack.lock", "--json")
    record = json.loads(out)
    assert code == 1 and record["kind"] == "versions"
    rows = {row["name"]: (row["before"], row["after"]) for row in record["packages"]}
    assert rows == {
        "py-attrs": ("26.1.0", "25.4.0"),
        "py-graphviz": (None, "0.21"),
        "py-shellingham": ("1.5.4", None),
    }
    assert [row["name"] for row in record["downgrades"]] == ["py-attrs"]


def test_a_stack_has_the_versions_of_its_lock(toy: Toy, toy_stack: Path) -> None:
    lock = toy.workspace.environments / "toy" / "wheels.lock"
    assert compare(open_document(toy_stack), open_document(lock)).identical
    assert compare(open_document(lock), open_document(toy_stack / "manifest.json")).identical
    code, out, _ = answer(toy_stack, lock)
    assert code == 0 and "same versions" in out
    code, _, _ = answer(toy_stack, SPACK / "zlib.spack.lock")
    assert code == 1


def test_a_marker_is_read_for_the_python_of_the_other_side(lock_path: Path) -> None:
    rows = [*parse_lock(lock_path.read_bytes(), "x").packages]
    rows.append(wheel("backport", "1.0", "c", "python_full_version < '3.11'"))
    lock_path.write_bytes(wheels_lock(*rows))
    assert answer(lock_path, SPACK / "python_usr.spack.lock")[0] == 0


def test_a_folder_that_holds_one_lock_stands_for_it_and_one_with_two_is_refused(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()
    with pytest.raises(InputError, match=r"it has no manifest.json, wheels.lock and no spack.lock"):
        open_document(folder)
    (folder / "spack.lock").write_bytes((SPACK / "zlib.spack.lock").read_bytes())
    assert compare(open_document(folder), open_document(folder / "spack.lock")).identical
    (folder / "wheels.lock").write_bytes(wheels_lock(wheel("rich", "15.0")))
    with pytest.raises(InputError, match=r"it has wheels.lock and spack.lock"):
        open_document(folder)


def test_a_lock_can_come_through_a_pipe() -> None:
    words = " ".join(f"<(cat {SPACK}/{name}.spack.lock)" for name in ("zlib", "zlib"))
    command = f"{sys.executable} -m fiducial.stack.cli.app diff {words}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"neither\n", "is neither a stack nor a lock"),
        (b"[1]", "is neither a stack nor a lock"),
        (b"{}", "has format None"),
        (b"# a comment\nrich==15.0\n", "is not a sealed lock"),
        (b'{"_meta": {}}', "is not a spack.lock"),
    ],
)
def test_what_is_neither_stack_nor_lock_is_refused_with_exit_2(
    data: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    code, out, err = answer(path, path)
    assert (code, out) == (2, "")
    assert words in err and "Traceback" not in err


def test_what_is_absent_or_cannot_be_read_is_said(
    tmp_path: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"no stack or lock at .*: give a stack"):
        open_document(tmp_path / "absent")
    monkeypatch.chdir(toy.workspace.root)
    with pytest.raises(InputError, match=r"did you mean environments/toy/wheels\.lock\?"):
        open_document(Path("toy"))
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot read"):
        open_document(tmp_path)


def test_the_answer_for_people_names_causes_counts_and_downgrades() -> None:
    before, after = SPACK / "python_usr.spack.lock", SPACK / "python_opt.spack.lock"
    code, out, _ = answer(before, after)
    assert code == 1
    assert "18 of 19 hashes changed, because of 3 causes:" in out
    assert re.search(r"^ +18  python: external /usr -> /opt/python$", out, re.MULTILINE)
    assert "1 downgrade:\n  py-attrs 26.1.0 -> 25.4.0" in out
    assert "python > py-awkward" not in out
    code, out, _ = answer(before, after, "-v")
    assert "py-numpy > py-awkward: recipe changed" in out
    code, out, _ = answer(before, before)
    assert (code, "are identical" in out) == (0, True)


def test_the_page_on_comparing_shows_what_is_printed() -> None:
    page = (TESTS.parents[1] / "docs/how-to/compare-stacks.md").read_text()
    samples = [SPACK / f"python_{name}.spack.lock" for name in ("usr", "opt")]
    for options in ([], ["-v"]):
        head, *lines = answer(*samples, *options)[1].splitlines()
        assert head.endswith("python_opt.spack.lock")
        text = "\n".join(lines)
        if not options:
            assert text in page
        else:
            (block,) = [part for part in page.split("```") if part.startswith("\n  ~ py-uproot")]
            assert block.strip("\n") in text


def keys(record: dict[str, Any]) -> set[str]:
    found = set(record)
    for name, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found |= {f"{name}[].{key}" for row in value for key in row}
        elif name == "hashes":
            found |= {f"{name}.{key}" for key in value}
    return found


def test_every_key_of_the_json_is_documented(lock_path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.write_bytes(wheels_lock(wheel("attrs", "1.0")))
    shown: set[str] = set()
    for pair in [
        (SPACK / "python_usr.spack.lock", SPACK / "python_opt.spack.lock"),
        (lock_path, other),
    ]:
        code, out, _ = answer(*pair, "--json")
        record = json.loads(out)
        assert code == 1 and record["format"] == 1
        shown |= keys(record)
    described = set(re.findall(r"`([a-z]+(?:\[\])?(?:\.[a-z]+)?)`", FORMAT.read_text()))
    assert shown <= described, shown - described
