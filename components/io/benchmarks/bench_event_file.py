"""Event files against Parquet (awkward and pyarrow), zstd level 1 in both; the same columns."""

import sys
import tempfile
from pathlib import Path

import awkward as ak
import pyarrow

sys.path.insert(0, str(Path(__file__).parent))
from events import zh_events

from fiducial.core.bench import Record, measure
from fiducial.io import read_rntuple, write_rntuple


def benchmarks() -> list[Record]:
    """Write and read all collections; and read one of three."""
    batch = zh_events(300, 10)
    array = batch.to_awkward()
    with tempfile.TemporaryDirectory() as folder:
        ours, rival = Path(folder, "x.root"), Path(folder, "x.parquet")

        def write_ours() -> None:
            write_rntuple(ours, batch)

        def write_rival() -> None:
            ak.to_parquet(array, rival, compression="zstd", compression_level=1)

        write_ours()
        write_rival()
        sizes = f"{ours.stat().st_size / 1e6:.0f} MB against {rival.stat().st_size / 1e6:.0f} MB"
        common = {
            "unit": "bytes/s",
            "amount": float(batch.nbytes),
            "rival_name": "awkward + pyarrow Parquet",
            "rival_version": f"{ak.__version__} + {pyarrow.__version__}",
            "repeats": 3,
        }
        what = f"{batch.n_events} ZH events, {batch.nbytes / 1e6:.0f} MB in memory"
        return [
            measure(
                name="write RNTuple, with content hash", input=f"{what}; files {sizes}",
                ours=write_ours, rival=write_rival, **common,
            ),
            measure(
                name="read RNTuple to a batch", input=what,
                ours=lambda: read_rntuple(ours), rival=lambda: ak.from_parquet(rival), **common,
            ),
            measure(
                name="read EventHeader only", input=what,
                ours=lambda: read_rntuple(ours, ["EventHeader"]),
                rival=lambda: ak.from_parquet(rival, columns=["EventHeader"]),
                **common | {"unit": "events/s", "amount": batch.n_events},
            ),
        ]  # fmt: skip


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
