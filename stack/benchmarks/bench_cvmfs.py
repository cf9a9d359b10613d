"""Publish, check and extract a CernVM-FS repository, on a tree like a Python stack.

    python stack/benchmarks/bench_cvmfs.py [TREE]

TREE is any installed Python with scipy, numpy, numba and awkward; without one the tree is
made from the interpreter that runs this (its standard library and those packages). Every step
runs once, in a process of its own, on a warm page cache; it prints wall and processor time,
files and MB per second, what was stored, and the peak of resident memory. The rival's figures
are those of docs/formats/cvmfs.md (cvmfs_server 2.12.0 on 2 cores, a tree of 22,178 files and
803 MB): they are quoted, not measured in this run.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

NAME = "bench.example.org"
PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "awkward", "awkward_cpp")
QUOTED = {
    "first publish": 22.8, "the same under a new name": 20.0, "one package changed": 0.66,
    "delete": 7.6,
}  # fmt: skip


def make_tree(target: Path) -> Path:
    """The standard library and the packages of the running interpreter."""
    paths = sysconfig.get_paths()
    library = Path(paths["stdlib"])
    shutil.copytree(
        library, target / "lib" / library.name, symlinks=True,
        ignore=shutil.ignore_patterns("site-packages", "config-*"),
    )  # fmt: skip
    packages = target / "lib" / library.name / "site-packages"
    packages.mkdir()
    for folder in sorted(Path(paths["platlib"]).iterdir()):
        base = folder.name.split("-")[0].split(".")[0]
        if base in PACKAGES and folder.is_dir():
            shutil.copytree(folder, packages / folder.name, symlinks=True)
    return target


def measured(step: str, work: Path, tree: Path, mode: str) -> dict[str, Any]:
    """Run one step in a process of its own."""
    command = [sys.executable, __file__, "--step", step, str(work), str(tree), mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def run_step(step: str, work: Path, tree: Path, mode: str) -> dict[str, Any]:
    from fiducial.stack.cvmfs.check import check_repository
    from fiducial.stack.cvmfs.compression import MODES, Encoder
    from fiducial.stack.cvmfs.extract import ExtractPolicy, extract
    from fiducial.stack.cvmfs.key_files import KeyFiles, load_master_public
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.repository import Repository, create_repository
    from fiducial.stack.cvmfs.revision import Demands, read_revision
    from fiducial.stack.cvmfs.settings import Settings

    keys, root = KeyFiles(work / "keys", NAME), work / mode / NAME
    now = datetime.datetime.now(datetime.UTC)
    if step == "create":
        settings = Settings(NAME, Encoder(*MODES[mode]))
        exists = keys.master_private.exists()
        create_repository(root, settings, keys, now, existing_keys=exists)
        return {}
    masters = [load_master_public(keys.master_public)]
    repository = Repository(root, masters)
    signer = keys.load_repository_key()
    begin, cpu = time.perf_counter(), time.process_time()
    record: dict[str, Any] = {}
    if step == "check":
        report = check_repository(repository.storage, masters, now)
        assert report.sound, report.faults[:3]
        record |= {"files": report.entries, "bytes": report.bytes}
    elif step == "extract":
        view = RepositoryView(
            repository.storage, read_revision(repository.storage, Demands(masters))
        )
        done = extract(view, b"/sw/1", work / mode / "out", ExtractPolicy(outside_links=True))
        record |= {"files": done.files, "bytes": done.bytes}
    else:
        with repository.transaction(signer) as transaction:
            if step == "delete":
                transaction.remove(b"/sw/2")
            else:
                place = b"/sw/2" if step == "the same under a new name" else b"/sw/1"
                transaction.put_tree(tree, place)
            outcome = transaction.commit()
        tally = outcome.tally
        record |= {
            "files": outcome.files, "bytes": outcome.bytes, "new_objects": tally.new_objects,
            "new_bytes": tally.new_bytes, "read_files": tally.read_files,
        }  # fmt: skip
    record["wall"] = time.perf_counter() - begin
    record["cpu"] = time.process_time() - cpu
    record["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return record


def touch_package(tree: Path) -> None:
    """Change 25 files of one package."""
    files = sorted(tree.glob("lib/python*/site-packages/numba/**/*.py"))[:25]
    for file in files:
        file.write_bytes(file.read_bytes() + b"\n# changed\n")


def benchmarks() -> list[dict[str, Any]]:
    """For ``make bench``: a first publish, and one that finds nothing to do, against copying."""
    from fiducial.core.bench import measure

    with tempfile.TemporaryDirectory(prefix="fiducial-bench-cvmfs-") as folder:
        work, numbers = Path(folder), count()
        tree = make_tree(work / "tree")
        files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
        size = sum(path.stat().st_size for path in files)
        common: dict[str, Any] = {
            "rival": lambda: copy(tree, work / f"copy{next(numbers)}"), "rival_name": "cp -a",
            "rival_version": "coreutils", "unit": "MB/s", "amount": size / 1e6, "repeats": 2,
            "input": f"{len(files)} files, {size / 1e6:.0f} MB",
        }  # fmt: skip

        def first() -> None:
            shutil.rmtree(work / "fast", ignore_errors=True)
            run_step("create", work, tree, "fast")
            run_step("first publish", work, tree, "fast")

        records = [measure(name="first CernVM-FS publish (fast)", ours=first, **common)]
        again = partial(run_step, "nothing changed", work, tree, "fast")
        records.append(measure(name="CernVM-FS publish, nothing changed", ours=again, **common))
        return [dict(record) for record in records]


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    shutil.rmtree(target)


def main(tree: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-cvmfs-") as folder:
        work = Path(folder)
        source = work / "tree"
        if tree is None:
            make_tree(source)
        else:
            shutil.copytree(tree, source, symlinks=True)
        files = [path for path in source.rglob("*") if path.is_file() and not path.is_symlink()]
        total = sum(path.stat().st_size for path in files)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
              f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; "
              f"tree: {len(files)} files, {total / 1e6:.0f} MB")  # fmt: skip
        time.sleep(2.5)  # so that the files may be recognised by their times
        for mode in ("normal", "fast"):
            measured("create", work, source, mode)
            steps = ["first publish"]
            if mode == "normal":
                steps += ["nothing changed", "the same under a new name", "delete",
                          "one package changed", "check", "extract"]  # fmt: skip
            for step in steps:
                if step == "one package changed":
                    touch_package(source)
                    time.sleep(2.5)
                tell(f"{mode}: {step}", measured(step, work, source, mode), QUOTED.get(step))
            store = [
                path.stat().st_size
                for path in (work / mode / NAME / "data").rglob("*")
                if path.is_file()
            ]
            print(f"{mode}: stored {len(store)} objects, {sum(store) / 1e6:.1f} MB")


def tell(what: str, record: dict[str, Any], quoted: float | None) -> None:
    wall = record["wall"]
    line = f"{what}: {wall:.2f} s wall, {record['cpu']:.2f} s CPU"
    if record["files"]:
        line += f", {record['files'] / wall:.0f} files/s, {record['bytes'] / 1e6 / wall:.0f} MB/s"
    if "new_objects" in record:
        line += f", {record['new_objects']} new objects of {record['new_bytes'] / 1e6:.1f} MB"
    line += f", peak {record['peak'] / 1e6:.0f} MB"
    print(line + (f"; cvmfs_server (quoted): {quoted} s" if quoted else ""), flush=True)


if __name__ == "__main__":
    if "--step" in sys.argv:
        step, work, tree, mode = sys.argv[2:6]
        print(json.dumps(run_step(step, Path(work), Path(tree), mode)))
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
