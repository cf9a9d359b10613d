"""What running through the framework costs, against the loop that one would write by hand.

The rival calls the same steps and the same writers of fiducial.io in a plain loop: no checkpoint,
no digest, no measuring, nothing put in place at once, everything lost when it is killed.  The ratio
is that of the rates: 0.95 means that a run takes 5 % longer than the loop.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fiducial.core.bench import measure
from fiducial.core.random import derive
from fiducial.edm.steps import Consumer, Filter, Producer, Transformer
from fiducial.framework import Chain, load_chain, run
from fiducial.framework.ranges import split
from fiducial.framework.tables import TableWriter
from fiducial.io import HepMC3Writer, RNTupleWriter


def by_hand(chain: Chain, events: int, out: Path) -> None:
    """The chain as a script would run it."""
    out.mkdir()
    writers: dict[str, Any] = {}
    for name, output in chain.outputs.items():
        path = out / f"{name}.{output.format}"
        writers[name] = HepMC3Writer(path) if output.format == "hepmc3" else RNTupleWriter(path)
    tables: dict[str, list[Any]] = {}
    for work in split(events, chain.range_size(), chain.block):
        batch: Any = None
        for named in chain.steps:
            step, seed = named.step, derive(chain.seed, named.name)
            if isinstance(step, Producer):
                batch = step.produce(work.first, work.count, seed)
            elif isinstance(step, Transformer):
                batch = batch.with_collections(step.transform(batch, seed))
            elif isinstance(step, Filter):
                batch = batch.select_events(step.select(batch))
            elif isinstance(step, Consumer):
                for name, table in step.consume(batch).items():
                    for key, column in table.items():
                        tables.setdefault(f"{named.name}/{name}/{key}", []).append(column)
        for name, writer in writers.items():
            writer.extend(batch.keep(chain.kept(name)))
    for writer in writers.values():
        writer.close()
    np.savez(out / "tables.npz", **{key: np.concatenate(c) for key, c in tables.items()})


def overhead(name: str, events: int, scratch: Path) -> dict[str, Any]:
    """One chain, ours against by hand."""
    chain = load_chain(name)
    peaks: list[int] = []

    def ours() -> None:
        shutil.rmtree(scratch / "ours", ignore_errors=True)
        peaks.append(run(chain, events, scratch / "ours").info["peak_rss_bytes"])

    def rival() -> None:
        shutil.rmtree(scratch / "rival", ignore_errors=True)
        by_hand(chain, events, scratch / "rival")

    record = measure(
        name=f"chain {name}",
        input=f"{events} events in ranges of {chain.range_size()}",
        unit="events/s",
        amount=events,
        ours=ours,
        rival=rival,
        rival_name="the same steps and writers in a loop by hand",
        rival_version="this revision",
        repeats=3,
    )
    return {**record, "peak_rss_bytes": max(peaks)}  # a run sets the kernel's mark back itself


def table_merge(scratch: Path) -> dict[str, Any]:
    """Tables of 100 ranges into one archive, streamed, against numpy in memory."""
    rng = np.random.default_rng(1)
    pieces = [rng.random(50_000) for _ in range(100)]

    def ours() -> None:
        writer = TableWriter(scratch / "columns")
        for piece in pieces:
            writer.extend({"step/table": {"x": piece, "y": piece}})
        writer.close(scratch / "ours.npz")

    def rival() -> None:
        whole = np.concatenate(pieces)
        np.savez(scratch / "rival.npz", x=whole, y=np.concatenate(pieces))

    return measure(
        name="merge tables",
        input="100 ranges, 2 columns of 50,000 float64",
        unit="bytes/s",
        amount=2.0 * sum(piece.nbytes for piece in pieces),
        ours=ours,
        rival=rival,
        rival_name="numpy.concatenate and savez",
        rival_version=np.__version__,
        repeats=7,
    )


def benchmarks() -> list[dict[str, Any]]:
    """All records of this file."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        return [
            overhead("zh_recoil", 1000, scratch),
            overhead("z_pole", 1500, scratch),
            table_merge(scratch),
        ]


if __name__ == "__main__":
    for line in benchmarks():
        print(
            f"{line['name']:16} {line['ours']:.4g} {line['unit']}, by hand {line['rival']:.4g}:"
            f" ratio {line['ratio']:.3f} (spread {line['spread']:.3f}),"
            f" peak {line['peak_rss_bytes'] / 2**20:.0f} MiB"
        )
