"""A stand-in for Spack: it answers as Spack does, and fails where a test asks it to.

It knows the toy workspace: it "concretizes" the specs of an environment into a lock whose hashes
hold, installs wheels out of a folder as pip does (with Spack's paths, compiled files and notes),
and builds components from the folders that ``develop:`` names. Each call is noted in ``calls.txt``
beside it; ``fault.json`` there says at which command to do what.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.spack.lock_graph import node_hash

HERE = Path(os.environ.get("FAKE_SPACK_HOME", "."))
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
NO_CLINGO = (
    'cannot bootstrap the "clingo" Python module from spec "clingo-bootstrap@spack+python" '
    "due to the following failures"
)
FAULTS = {
    "no clingo": NO_CLINGO,
    "unsatisfiable": "failed to concretize `py-fiducial-beta` for the following reasons:\n"
    "     1. cannot satisfy a requirement for package 'py-toylib'.",
    "no network": "FetchError: All fetchers failed for spack-stage-py-toylib-1.0",
    "checksum": "ChecksumError: sha256 checksum failed for /downloads/toylib-1.0.whl\n"
    "    Expected 0123 but got 4567.",
    "full disk": "OSError: [Errno 28] No space left on device: '/store/py-toylib'",
    "tests": "1 test(s) in the suite failed.",
}


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    words = sys.argv[1:]
    if words == ["--version"]:
        say((HERE / "version.txt").read_text())
        return 0
    folder = Path()
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option == "-e":
            folder = Path(words.pop(0))
    command = words[0]
    with (HERE / "calls.txt").open("a") as stream:
        stream.write(" ".join(words) + "\n")
    fault = json.loads((HERE / "fault.json").read_text())
    kind = fault.get(command)
    if kind == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
        return 1
    if kind is not None and kind != "kill after":
        sys.stderr.write(f"==> Error: {FAULTS[kind]}\n")
        return 1
    code = {"location": location, "concretize": concretize, "find": find, "fetch": fetch,
            "install": install, "test": test}[command](folder)  # fmt: skip
    if kind == "kill after":
        os.kill(os.getppid(), signal.SIGKILL)
    return code


def location(_: Path) -> int:
    say(str(HERE / "builtin"))
    return 0


def settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "spack.yaml").read_text())["spack"]
    return found


def concretize(folder: Path) -> int:
    """Lock what a file of the test says, with the folders of this environment's develop."""
    develop = settings(folder)["develop"]
    rows = json.loads((HERE / "packages.json").read_text())
    made: dict[str, dict[str, Any]] = {}
    for row in rows:  # referents first
        parameters = {"build_system": row.get("system", "python_pip")}
        if row["name"] in develop:
            parameters["dev_path"] = develop[row["name"]]["path"]
        node: dict[str, Any] = {"name": row["name"], "version": row["version"]}
        node |= {"namespace": row["namespace"], "parameters": parameters}
        if row["name"] == "python":
            node["external"] = {"path": "/usr"}
        needs = [made[name] for name in row["needs"]]
        edge = {"deptypes": ["build", "run"], "virtuals": []}
        node["dependencies"] = [
            {"name": need["name"], "hash": need["hash"], "parameters": edge} for need in needs
        ]
        node["annotations"] = {"original_specfile_version": 5}
        made[row["name"]] = {**node, "hash": node_hash(node)}
    root = next(reversed(made.values()))
    document = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
        "spack": {"version": "1.2.0", "type": "git", "commit": "0" * 40},
        "roots": [{"hash": root["hash"], "spec": root["name"]}],
        "concrete_specs": {node["hash"]: node for node in made.values()},
    }
    (folder / "spack.lock").write_text(json.dumps(document))
    return 0


def nodes(folder: Path) -> list[dict[str, Any]]:
    lock = json.loads((folder / "spack.lock").read_text())
    return [node for node in lock["concrete_specs"].values() if "external" not in node]


def prefix_of(folder: Path, node: dict[str, Any]) -> Path:
    store = Path(settings(folder)["config"]["install_tree"]["root"])
    return store / "linux-x86_64" / f"{node['name']}-{node['version']}-{node['hash']}"


def find(folder: Path) -> int:
    for node in nodes(folder):
        place = prefix_of(folder, node)
        if (place / ".spack").is_dir():
            say(f"{node['hash']} {place}")
    return 0


def fetch(folder: Path) -> int:
    """Put every wheel of the index into the source cache, by its digest."""
    cache = Path(settings(folder)["config"]["source_cache"])
    for wheel in (HERE / "index").glob("*.whl"):
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        target = cache / "_source-cache" / "archive" / digest[:2] / digest
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wheel.read_bytes())
        say(f"==> Fetching {wheel.name}")
    return 0


def install(folder: Path) -> int:
    todo = [node for node in nodes(folder) if not prefix_of(folder, node).is_dir()]
    limit = json.loads((HERE / "fault.json").read_text()).get("install only", len(todo))
    for number, node in enumerate(todo):
        if number >= limit:
            os.kill(os.getppid(), signal.SIGKILL)
            return 1
        place = prefix_of(folder, node)
        if node["name"].startswith("py-"):
            install_wheel(wheel_of(node), place)
        (place / ".spack").mkdir(parents=True)
        (place / ".spack" / "spec.json").write_text("{}")
        say(f"[+] {place}")
    return 0


def wheel_of(node: dict[str, Any]) -> Path:
    source = node["parameters"].get("dev_path")
    if source is None:
        return next((HERE / "index").glob(f"{node['name'].removeprefix('py-')}-*.whl"))
    out = Path(os.environ["FAKE_SPACK_WHEELS"], Path(source).name)  # named after its content
    if found := list(out.glob("*.whl")):
        return found[0]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def install_wheel(wheel: Path, place: Path) -> None:
    """As pip does it: with its own notes, compiled files, and programs that name a Python."""
    site = place / "lib" / f"python{MINOR}" / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (info,) = site.glob("*.dist-info")
    for module in list(site.rglob("*.py")):
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-xyz.pyc"
        compiled.parent.mkdir(exist_ok=True)
        compiled.write_text(str(place))
    (info / "INSTALLER").write_text("pip\n")
    (info / "REQUESTED").write_text("")
    (info / "direct_url.json").write_text(json.dumps({"url": wheel.as_uri()}))
    points = info / "entry_points.txt"
    for line in points.read_text().splitlines() if points.is_file() else []:
        if "=" in line:
            name = line.split("=")[0].strip()
            (place / "bin").mkdir(exist_ok=True)
            (place / "bin" / name).write_text(f"#!{place}/bin/python3\nimport sys\n")
            (place / "bin" / name).chmod(0o755)
    text = io.StringIO()
    for path in sorted(row for row in place.rglob("*") if row.is_file()):
        name = os.path.relpath(path, site)
        if path == info / "RECORD":
            continue
        data = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        row = [name, "", ""] if name.endswith(".pyc") else [name, f"sha256={digest}", len(data)]
        csv.writer(text, lineterminator="\n").writerow(row)
    text.write(f"{info.name}/RECORD,,\n")
    (info / "RECORD").write_text(text.getvalue())
    for library in site.rglob("*.so"):  # as Spack's hook blanks a path that is not there
        library.write_bytes(library.read_bytes().replace(b"/opt/builder", b"\0" * 12))


def test(folder: Path) -> int:
    for node in nodes(folder):
        say(f"==> Testing package {node['name']}-{node['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
