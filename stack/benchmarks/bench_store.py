"""Publish and deploy against the system's copy tools, on a tree shaped like a built stack.

The tree has a twelfth of the files of the ``base`` environment with its distribution of sizes
(half below 4 kB, a few large libraries), of random bytes. It lies in memory (/dev/shm) where
there is room, so that the programs are measured and not the disk; everybody still asks for what
was written to be durable (``sync -f``). Rivals: ``cp -a``, which checks nothing; the same with
``sha256sum`` over source and copy, which gives about what a publish or a deploy promises;
``rsync -a --checksum`` over an unchanged tree for the publish that finds nothing to do.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from fiducial.core.bench import measure
from fiducial.stack.keys import PrivateKey
from fiducial.stack.manifest import File
from fiducial.stack.objects import Source
from fiducial.stack.repository_directory import DirectoryRepository
from fiducial.stack.tree import Tree

SHAPE = (
    (570, 200, 4_000),
    (600, 4_000, 65_000),
    (85, 65_000, 1_000_000),
    (5, 4_000_000, 9_000_000),
)


def make_tree(root: Path) -> Tree:
    """Random files below ``root``, and the tree that describes them."""
    numbers = random.Random(1)
    files: dict[str, File] = {}
    for kind, (number, low, high) in enumerate(SHAPE):
        for i in range(number):
            path = f"lib/package{i % 60}/part{kind}/file{i}"
            data = os.urandom(numbers.randrange(low, high))
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            files[path] = File(sha256=digest, size=len(data), mode="644")
    return Tree(dict(sorted(files.items())), {})


def shell(command: str, *arguments: Path) -> None:
    subprocess.run(["sh", "-euc", command, "sh", *map(str, arguments)], check=True)


def version(tool: str) -> str:
    words = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.split()
    return next((word for word in words if word[0].isdigit()), "unknown")


def benchmarks() -> list[dict[str, Any]]:
    """Publish, deploy, and publish again, each against its rivals."""
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-", dir=memory()) as name:
        return _run(Path(name))


def memory() -> Path | None:
    """The file system in memory, if 3 GB are free there."""
    place = Path("/dev/shm")
    return place if place.is_dir() and shutil.disk_usage(place).free > 3e9 else None


def _run(folder: Path) -> list[dict[str, Any]]:
    source, number = folder / "source", count()
    tree = make_tree(source)
    sums = folder / "sums"
    sums.write_text("".join(f"{f.sha256}  {path}\n" for path, f in tree.files.items()))
    sources = {f.sha256: Source(path, source / path) for path, f in tree.files.items()}
    assert PrivateKey.generate().key_id  # the signing library is loaded outside of the clock

    def fresh() -> Path:
        return folder / f"copy{next(number)}"

    def publish() -> None:
        DirectoryRepository(fresh(), create=True).put(sources)

    published = DirectoryRepository(folder / "repository", create=True)
    published.put(sources)

    def deploy() -> None:
        place = fresh()
        place.mkdir()
        published.get_tree(tree, place)
        shell('sync -f "$1"', place)

    def copy() -> None:
        shell('cp -a "$1" "$2" && sync -f "$2"', source, fresh())

    def checked_copy() -> None:
        check = 'sha256sum --quiet -c "$3"'
        command = f'(cd "$1" && {check}) && cp -a "$1" "$2" && sync -f "$2" && cd "$2" && {check}'
        shell(command, source, fresh(), sums)

    shape = f"{len(tree.files)} files, {tree.bytes / 1e6:.0f} MB"
    common: dict[str, Any] = {"input": shape, "unit": "MB/s", "amount": tree.bytes / 1e6}
    common["repeats"] = 5
    tools = version("cp")
    records = []
    for what, ours in (("publish", publish), ("deploy", deploy)):
        for rival, run in (("cp -a", copy), ("cp -a with sha256sum", checked_copy)):
            records.append(
                measure(name=f"{what} against {rival}", ours=ours, rival=run,
                        rival_name=f"{rival}, coreutils", rival_version=tools, **common)
            )  # fmt: skip
            for left in folder.glob("copy*"):
                shutil.rmtree(left)
    if shutil.which("rsync"):
        mirror = folder / "mirror"
        shell('cp -a "$1" "$2"', source, mirror)
        records.append(
            measure(name="publish again, nothing changed", ours=lambda: published.put(sources),
                    rival=lambda: shell('rsync -a --checksum "$1/" "$2/"', source, mirror),
                    rival_name="rsync -a --checksum", rival_version=version("rsync"), **common)
        )  # fmt: skip
    return [dict(record) for record in records]


if __name__ == "__main__":
    for record in benchmarks():
        files = sum(number for number, _, _ in SHAPE)
        rate = record["ours"] * files / float(record["input"].split(", ")[1].split()[0])
        print(
            f"{record['name']}: {record['ours']:.0f} MB/s ({rate:.0f} files/s), "
            f"{record['rival_name']} {record['rival']:.0f} MB/s, ratio {record['ratio']:.2f} "
            f"(spread {record['spread']:.2f}), peak {record['peak_rss_bytes'] / 1e6:.0f} MB"
        )
