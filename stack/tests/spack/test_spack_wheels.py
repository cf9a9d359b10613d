"""Wheels become recipes by what they say of themselves, read once and kept under their hash."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes, StackError
from fiducial.stack.lockfile import Lock, LockedPackage
from fiducial.stack.spack.wheel_metadata import (
    WantedWheel,
    WheelMetadata,
    fetch,
    read_table,
    render_table,
)
from fiducial.stack.spack.wheel_notes import Notes, read_notes
from fiducial.stack.spack.wheel_recipe import choose_wheel, render_wheels, union
from fiducial.stack.workspace import Workspace


def make_wheel(folder: Path, name: str, *lines: str) -> str:
    """A wheel with a package and a compiled module; its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files = {
        f"{name}/__init__.py": "",
        f"_{name}_hidden.py": "",
        f"{info}/METADATA": head + "".join(f"{line}\n" for line in lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for row, text in files.items():
            archive.writestr(row, text)
        record = "".join(f"{row},,\n" for row in [*files, f"{info}/RECORD"])
        archive.writestr(f"{info}/RECORD", record)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that uv knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    (tmp_path / "uv.toml").write_text(f'no-index = true\nfind-links = ["{folder}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_a_wheel_is_read_from_the_index_by_its_hash(index: Path) -> None:
    lines = ("Summary: Some tool.", "License-Expression: mit", 'Requires-Dist: b ; extra == "x"')
    digest = make_wheel(index, "tool", *lines)
    read = fetch([WantedWheel("tool", "1.0", digest)])
    expected = WheelMetadata("tool", "1.0", "Some tool", "MIT", ('b ; extra == "x"',), ("tool",))
    assert read == {digest: expected}


def test_an_altered_wheel_and_an_absent_one_are_refused(index: Path) -> None:
    digest = make_wheel(index, "tool", "License-Expression: MIT")
    make_wheel(index, "tool", "License-Expression: MIT", "Summary: altered")
    with pytest.raises(StackError, match=r"(?i)hash"):
        fetch([WantedWheel("tool", "1.0", digest)])
    with pytest.raises(EnvironmentProblem, match="absent"):
        fetch([WantedWheel("absent", "1.0", digest)])


def test_the_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = {
        "b" * 64: WheelMetadata("zeta", "1", "ζ", "MIT", (), ()),
        "a" * 64: WheelMetadata("alpha", "2", "", "", ("zeta>=1",), ("alpha", "alpha_more")),
    }
    path = tmp_path / "table.json"
    path.write_text(render_table(rows))
    assert read_table(path) == rows
    assert list(json.loads(path.read_text())["wheels"]) == ["a" * 64, "b" * 64], "by name"


def test_a_table_by_another_reader_is_read_anew_and_a_damaged_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    assert read_table(path) == {}
    text = render_table({"a" * 64: WheelMetadata("alpha", "2", "", "", (), ())})
    path.write_text(text.replace('"reader": 1', '"reader": 0'))
    assert read_table(path) == {}
    for damaged in (text[:-5], text.replace('"summary"', '"sumary"'), "[]", '{"format": 1}'):
        path.write_text(damaged)
        with pytest.raises(InputError, match="not a table of wheels"):
            read_table(path)


def lock(environment: str, *rows: tuple[str, str]) -> tuple[Lock, str, str]:
    packages = tuple(
        LockedPackage(name, "1.0", "", {digest: f"{name}-1.0-py3-none-any.whl"})
        for name, digest in rows
    )
    return Lock(environment, ">=3.11", "", {}, packages, ""), "2.28", ""


def test_locks_are_joined_and_must_agree() -> None:
    first, second = lock("base", ("alpha", "a" * 64)), lock("gpu", ("alpha", "a" * 64))
    more = lock("study", ("alpha", "a" * 64), ("beta", "b" * 64))
    joined = union({"base": first, "gpu": second, "study": more})
    assert {name: row.environment for name, row in joined.items()} == {
        "alpha": "base",
        "beta": "study",
    }
    with pytest.raises(Mistakes, match="fiducial lock gpu"):
        union({"base": first, "gpu": lock("gpu", ("alpha", "c" * 64))})


def test_a_newer_c_library_serves_only_packages_that_have_nothing_for_the_older() -> None:
    names = {
        "a" * 64: "tool-1.0-cp311-cp311-manylinux_2_34_x86_64.whl",
        "b" * 64: "tool-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    }
    both = LockedPackage("tool", "1.0", "", names)
    assert choose_wheel(both, "2.28", "2.34").sha256 == "b" * 64
    new = LockedPackage("tool", "1.0", "", {"a" * 64: names["a" * 64]})
    assert choose_wheel(new, "2.28", "2.34").sha256 == "a" * 64
    with pytest.raises(InputError, match="no wheel"):
        choose_wheel(new, "2.28")


def test_recipes_hold_the_dependencies_of_the_extras_that_are_asked_for() -> None:
    digests = {name: name[0] * 64 for name in ("alpha", "beta", "cuda", "delta")}
    packages = union({"base": lock("base", *digests.items())})
    requires = {
        "alpha": ('cuda ; extra == "gpu"', "beta[more]>=1", 'delta ; sys_platform == "win32"'),
        "beta": ('delta ; extra == "more"',),
    }
    metadata = {
        digest: WheelMetadata(name, "1.0", "Does it", "MIT", requires.get(name, ()), (name,))
        for name, digest in digests.items()
    }
    plain = render_wheels(packages, metadata, [], {})
    assert 'depends_on("py-beta")' in plain["py-alpha"]
    assert "py-cuda" not in plain["py-alpha"] and "py-delta" not in plain["py-alpha"]
    assert 'depends_on("py-delta")' in plain["py-beta"]
    asked = render_wheels(packages, metadata, ["alpha[gpu]>=1 ; os_name == 'posix'"], {})
    assert 'depends_on("py-cuda")' in asked["py-alpha"]


def test_what_a_wheel_cannot_say_is_asked_for_all_at_once() -> None:
    packages = union({"base": lock("base", ("alpha", "a" * 64), ("beta", "b" * 64))})
    metadata = {
        "a" * 64: WheelMetadata("alpha", "1.0", "", "", (), ()),
        "b" * 64: WheelMetadata("beta", "1.0", "", "MIT", ("absent",), ()),
    }
    with pytest.raises(Mistakes) as caught:
        render_wheels(packages, metadata, [], {})
    assert "alpha: its metadata tells no licence" in str(caught.value)
    assert "beta: it needs absent, which no lock has" in str(caught.value)
    metadata["b" * 64] = WheelMetadata("beta", "1.0", "", "MIT", (), ())
    notes = {"alpha": Notes(licence="ISC", modules=("alpha.core",), smoke="import alpha.core")}
    text = render_wheels(packages, metadata, [], notes)["py-alpha"]
    assert 'license("ISC"' in text and '"alpha.core",' in text and "def test_smoke" in text


def notes(root: Path, text: str) -> dict[str, Notes]:
    (root / "spack-repo").mkdir(exist_ok=True)
    (root / "spack-repo" / "wheels.yaml").write_text(text)
    return read_notes(Workspace(root), ["numpy", "root"])


def test_notes_are_read_with_all_their_mistakes_at_once(tmp_path: Path) -> None:
    good = notes(
        tmp_path, "root: {licence: LGPL-2.1-or-later, modules: [ROOT], smoke: import ROOT}"
    )
    assert good == {"root": Notes("LGPL-2.1-or-later", ("ROOT",), "import ROOT")}
    with pytest.raises(Mistakes) as caught:
        notes(tmp_path, "rot: {}\nnumpy: {licence: so so, module: [a], modules: a, smoke: a\\b}")
    text = str(caught.value)
    for part in ("no lock has 'rot': did you mean root?", "licence", "did you mean modules?"):
        assert part in text
    assert "must be a list of names" in text and "backslash" in text
    for damaged in ("[1", "- root"):
        with pytest.raises(InputError):
            notes(tmp_path, damaged)
