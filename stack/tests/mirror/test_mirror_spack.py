"""What only Spack can name comes by Spack: a stand-in program shows what is made of its answers."""

from __future__ import annotations

import hashlib
import json
import textwrap
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.spack.mirror_layout import open_mirror
from fiducial.stack.spack.obtain_sources import IncompleteMirror
from fiducial.stack.spack.program import find_spack
from fiducial.stack.spack.source_mirror import check, fill
from fiducial.stack.spack.spack_sources import learn
from fiducial.stack.spack.wanted_sources import read_builtin, want, write_builtin

STAND_IN = """\
#!/usr/bin/env python3
import hashlib, json, pathlib, sys
here = pathlib.Path(__file__).parent
(here / "called").open("a").write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "--version":
    print("1.2.0")
    sys.exit()
plan = json.loads((here / "plan.json").read_text())
lock = json.loads((pathlib.Path(sys.argv[2]) / "spack.lock").read_text())["concrete_specs"]
target = pathlib.Path(sys.argv[sys.argv.index("-d") + 1])
failed = []
for word in sys.argv:
    if not word.startswith("/") or word[1:] not in lock:
        continue
    node = lock[word[1:]]
    label = node["name"] + "@" + node["version"]
    print("==> Adding package", label, "to mirror")
    if plan[label] is None:
        print("==> Warning: Error while fetching", label, file=sys.stderr)
        print("  All fetchers failed", file=sys.stderr)
        failed.append(label)
        continue
    for alias, data, extension in plan[label]:
        data = data.encode()
        digest = hashlib.sha256(data).hexdigest()
        if (here / "lie").exists():
            data += b"!"
        path = target / "_source-cache/archive" / digest[:2] / (digest + extension)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        link = target / alias
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to("../" + str(path.relative_to(target)))
if (here / "broken").exists():
    print("==> Error: the disk of the moon is full", file=sys.stderr)
    sys.exit(1)
if failed:
    print("==> Error: Failed downloads:", file=sys.stderr)
    print(*failed)
    sys.exit(1)
"""


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    """A stand-in for Spack that fills a mirror by plan; its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "spack").write_text(STAND_IN)
    (folder / "spack").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def plan(program: Path, **rows: list[tuple[str, str, str]] | None) -> None:
    (program / "plan.json").write_text(json.dumps({f"{k}@1.0": v for k, v in rows.items()}))


def fill_toy(site, mirror: Path):
    return fill(site.workspace, want(site.workspace, "toy"), mirror, find_spack)


def calls(program: Path) -> int:
    text = (program / "called").read_text() if (program / "called").exists() else ""
    return text.count("mirror create")


def test_files_that_spack_brings_are_verified_indexed_and_not_asked_for_again(
    site, program, tmp_path
):
    site.spack_lock({"geant4": {}, "root": {}})
    plan(
        program,
        geant4=[("geant4/geant4-1.0.tar.gz", "geant4", ".tar.gz")],
        root=[("root/root-1.0.tar.gz", "root", ".tar.gz"), ("root/fix.patch-abc", "patch", "")],
    )
    done = fill_toy(site, tmp_path / "mirror")
    assert (done.files, done.fetched) == (6, 6)
    digest = hashlib.sha256(b"geant4").hexdigest()
    path = f"_source-cache/archive/{digest[:2]}/{digest}.tar.gz"
    assert (tmp_path / "mirror" / path).read_bytes() == b"geant4"
    assert (tmp_path / "mirror/geant4/geant4-1.0.tar.gz").read_bytes() == b"geant4"
    held = open_mirror(tmp_path / "mirror").environments["toy"]
    assert held.by_spack == ("geant4@1.0", "root@1.0") and path in held.files
    assert check(tmp_path / "mirror")[1].findings == ()
    again = fill_toy(site, tmp_path / "mirror")
    assert (again.files, again.fetched, calls(program)) == (6, 0, 1)


def test_one_that_is_damaged_since_is_asked_of_spack_again(site, program, tmp_path):
    site.spack_lock({"geant4": {}, "root": {}})
    plan(
        program,
        geant4=[("geant4/geant4-1.0.tar.gz", "geant4", ".tar.gz")],
        root=[("root/root-1.0.tar.gz", "root", ".tar.gz")],
    )
    fill_toy(site, tmp_path / "mirror")
    (tmp_path / "mirror/root/root-1.0.tar.gz").resolve().write_bytes(b"rot")
    assert fill_toy(site, tmp_path / "mirror").fetched == 1
    lines = [row for row in (program / "called").read_text().splitlines() if "create" in row]
    asked = [[word for word in row.split() if word[:1] == "/" and len(word) == 33] for row in lines]
    assert [len(row) for row in asked] == [2, 1]
    assert check(tmp_path / "mirror")[1].findings == ()


def test_what_spack_cannot_fetch_is_named_and_the_rest_is_kept(site, program, tmp_path):
    site.spack_lock({"geant4": {}, "root": {}})
    plan(program, geant4=None, root=[("root/root-1.0.tar.gz", "root", ".tar.gz")])
    with pytest.raises(IncompleteMirror) as caught:
        fill_toy(site, tmp_path / "mirror")
    assert [row.label for row in caught.value.missing] == ["geant4@1.0"]
    assert open_mirror(tmp_path / "mirror").environments["toy"].by_spack == ("root@1.0",)
    (finding,) = check(tmp_path / "mirror")[1].findings
    assert (finding.kind, finding.label) == ("absent", "geant4@1.0")
    plan(program, geant4=[("geant4/geant4-1.0.tar.gz", "geant4", ".tar.gz")])
    assert fill_toy(site, tmp_path / "mirror").fetched == 1
    assert check(tmp_path / "mirror")[1].findings == ()


def test_a_spack_that_fails_altogether_says_why(site, program, tmp_path):
    site.spack_lock({"geant4": {}})
    plan(program, geant4=[("geant4/geant4-1.0.tar.gz", "geant4", ".tar.gz")])
    (program / "broken").touch()
    with pytest.raises(EnvironmentProblem, match="the disk of the moon is full"):
        fill_toy(site, tmp_path / "mirror")
    (program / "broken").unlink()
    assert fill_toy(site, tmp_path / "mirror").fetched == 1, "the wheels were there already"


def test_a_file_whose_name_lies_about_its_content_is_not_taken(site, program, tmp_path):
    site.spack_lock({"geant4": {}})
    plan(program, geant4=[("geant4/geant4-1.0.tar.gz", "geant4", ".tar.gz")])
    (program / "lie").touch()
    with pytest.raises(EnvironmentProblem, match="is not what its name says"):
        fill_toy(site, tmp_path / "mirror")
    digest = hashlib.sha256(b"geant4").hexdigest()
    assert not (tmp_path / f"mirror/_source-cache/archive/{digest[:2]}/{digest}.tar.gz").exists()


def test_a_spack_that_is_too_old_is_told_with_what_lacks_for_it(site, program, tmp_path):
    (program / "spack").write_text("#!/bin/sh\necho 0.23.1\n")
    site.spack_lock({"geant4": {}})
    with pytest.raises(IncompleteMirror, match="too old") as caught:
        fill_toy(site, tmp_path / "mirror")
    assert [row.label for row in caught.value.missing] == ["geant4@1.0"]


def test_what_spack_told_once_needs_no_spack_the_next_time(site, program, tmp_path):
    digest = site.serve("pip")
    data = (site.index.folder / "pip-1.0-py3-none-any.whl").read_bytes()
    site.spack_lock({"py-pip": {}, "geant4": {}})
    plan(program, **{"py-pip": [], "geant4": []})
    text = (program / "spack").read_text()
    text = text.replace("data = data.encode()", "data = bytes.fromhex(data)")
    (program / "spack").write_text(text)
    plan(
        program,
        **{
            "py-pip": [("py-pip/py-pip-1.0.whl", data.hex(), ".whl")],
            "geant4": [("geant4/geant4-1.0.tar.gz", b"g".hex(), ".tar.gz")],
        },
    )
    done = fill_toy(site, tmp_path / "mirror")
    learned = learn(list(done.learned))
    assert learned.keys() == {"py-pip@1.0"}, "only what the index has too"
    assert write_builtin(site.workspace, learned) and not write_builtin(site.workspace, learned)
    kept = read_builtin(site.workspace)["py-pip@1.0"]
    assert (kept.sha256, kept.filename, kept.extension) == (
        digest,
        "pip-1.0-py3-none-any.whl",
        "whl",
    )
    site.spack_lock({"py-pip": {}})
    (program / "spack").unlink()
    assert fill_toy(site, tmp_path / "second").files == 4
    assert check(tmp_path / "second")[1].findings == ()


@pytest.mark.parametrize(
    "text", ["- 1", "format: 2", "format: 1\nsources: {a: 1}", "format: 1\nsources: {a@1: {}}", "{"]
)
def test_a_damaged_list_of_builtin_files_is_refused(site, text):
    (site.workspace.root / "spack-repo/builtin-sources.yaml").write_text(textwrap.dedent(text))
    with pytest.raises(InputError, match="builtin-sources"):
        read_builtin(site.workspace)
