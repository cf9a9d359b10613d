"""Our RNTuples of an analysis table against uproot's, ROOT's, and Parquet; one thread each.

20 columns, 9 flat and 11 jagged; the same clusters of 100,000 events everywhere. Compression is
ROOT's default, 505 (zstd's own level 10), for us and ROOT; zstd level 10 for uproot and Parquet.
ROOT runs in the Python that FIDUCIAL_ROOT_PYTHON names; without it, it is left out.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

sys.path.insert(0, str(Path(__file__).parent))
from table import columns

from fiducial.core.bench import Record, measure
from fiducial.io.rntuple.testing import read_events, write_events

EVENTS = int(os.environ.get("FIDUCIAL_BENCH_EVENTS", "300000"))
CLUSTER = 100_000
REPEATS = 3


@contextlib.contextmanager
def root(table: Path, file: Path) -> Iterator[tuple[Any, str] | None]:
    """A function that tells ROOT to "write" or "read", and its version; None without ROOT."""
    python = os.environ.get("FIDUCIAL_ROOT_PYTHON")
    if not python:
        yield None
        return
    script = str(Path(__file__).parent / "root_rival.py")
    with subprocess.Popen(
        [python, script, str(table), str(file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        version = process.stdout.readline().strip()

        def tell(what: str) -> None:
            print(what, file=process.stdin, flush=True)
            assert process.stdout.readline().strip() == "done"

        yield tell, version
        process.stdin.close()


def benchmarks() -> list[Record]:
    """Write and read all columns; and how large the files are."""
    table = columns(EVENTS)
    offsets = {
        name: np.concatenate([[0], np.cumsum(counts)])
        for name, (_, counts) in table.items()
        if counts is not None
    }
    layouts = {}
    for name, (values, _) in table.items():
        leaf = ak.contents.NumpyArray(values)
        ends = offsets.get(name)
        layouts[name] = (
            leaf if ends is None else ak.contents.ListOffsetArray(ak.index.Index64(ends), leaf)
        )
    array = ak.Array(ak.contents.RecordArray(list(layouts.values()), list(layouts)))
    arrow = ak.to_arrow_table(array, extensionarray=False)
    nbytes = sum(values.nbytes for values, _ in table.values())
    cuts = range(CLUSTER, EVENTS, CLUSTER)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in ("ours", "threads", "uproot", "root", "pq")}
        saved = Path(folder, "table.npz")
        np.savez(
            saved,
            **{name: values for name, (values, _) in table.items()},
            **{f"{name}/offsets": ends for name, ends in offsets.items()},
        )

        def write_uproot() -> None:
            with uproot.recreate(files["uproot"], compression=uproot.ZSTD(10)) as file:
                ntuple = file.mkrntuple("events", array[:CLUSTER])
                for first in cuts:
                    ntuple.extend(array[first : first + CLUSTER])

        def read_uproot() -> None:
            with uproot.open(files["uproot"]) as file:
                file["events"].arrays()

        def write_parquet() -> None:
            pq.write_table(
                arrow, files["pq"], compression="zstd", compression_level=10, row_group_size=CLUSTER
            )

        ways: dict[str, tuple[str, Any, Any, Path]] = {
            "uproot RNTuple": (uproot.__version__, write_uproot, read_uproot, files["uproot"]),
            "pyarrow Parquet": (
                pa.__version__, write_parquet,
                lambda: pq.read_table(files["pq"], use_threads=False), files["pq"],
            ),
        }  # fmt: skip
        with root(saved, files["root"]) as rival:
            if rival:
                tell, version = rival
                ways["ROOT RNTuple"] = (
                    version, lambda: tell("write"), lambda: tell("read"), files["root"],
                )  # fmt: skip
            write_events(files["ours"], layouts, cuts)
            records = []
            what = f"{EVENTS} events, 20 columns, {nbytes / 1e6:.0f} MB in memory"
            for name, (version, write, read, file) in ways.items():
                write()
                size, theirs = files["ours"].stat().st_size, file.stat().st_size
                common: dict[str, Any] = {
                    "unit": "bytes/s", "amount": float(nbytes), "rival_name": name,
                    "rival_version": version, "repeats": REPEATS,
                    "input": f"{what}; files {size / 1e6:.2f} MB against {theirs / 1e6:.2f} MB",
                }  # fmt: skip
                records += [
                    measure(
                        name="write a table as RNTuple",
                        ours=lambda: write_events(files["ours"], layouts, cuts),
                        rival=write, **common,
                    ),
                    measure(
                        name="read a table from RNTuple",
                        ours=lambda: read_events(files["ours"]), rival=read, **common,
                    ),
                ]  # fmt: skip
            records.append(
                measure(
                    name="write with two threads", input=what,
                    ours=lambda: write_events(files["threads"], layouts, cuts, threads=2),
                    rival=lambda: write_events(files["ours"], layouts, cuts),
                    rival_name="one thread", rival_version="", unit="bytes/s",
                    amount=float(nbytes), repeats=REPEATS,
                )
            )  # fmt: skip
    return records


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
