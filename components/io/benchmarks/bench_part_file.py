"""Part files against numpy's savez and against pickle; all end on disk."""

import os
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from events import zh_events

from fiducial.core.bench import Record, measure
from fiducial.io import load_part, save_part


def benchmarks() -> list[Record]:
    """Write durably, and read back; a part file also checks every byte."""
    batch = zh_events(300, 5)
    arrays = {f"{n}/{k}": a for n, c in batch.collections.items() for k, a in c.arrays()}
    with tempfile.TemporaryDirectory() as folder:
        part, npz, pkl = (Path(folder, f"x.{end}") for end in ("part", "npz", "pickle"))

        def savez() -> None:
            with npz.open("wb") as stream:
                np.savez(stream, **arrays)
                os.fsync(stream.fileno())

        def loadz() -> None:
            with np.load(npz) as held:
                for name in held.files:
                    held[name]

        def dump() -> None:
            with pkl.open("wb") as stream:
                pickle.dump(arrays, stream, protocol=5)
                os.fsync(stream.fileno())

        save_part(part, batch)
        savez()
        dump()
        common = {
            "input": f"{batch.n_events} ZH events, {batch.nbytes / 1e6:.0f} MB",
            "unit": "bytes/s",
            "amount": float(batch.nbytes),
            "repeats": 5,
        }
        of_numpy = {"rival_name": "numpy.savez", "rival_version": np.__version__}
        of_pickle = {"rival_name": "pickle", "rival_version": sys.version.split()[0]}
        return [
            measure(name="save part", ours=lambda: save_part(part, batch), rival=savez,
                    **common, **of_numpy),
            measure(name="load part", ours=lambda: load_part(part), rival=loadz,
                    **common, **of_numpy),
            measure(name="save part", ours=lambda: save_part(part, batch), rival=dump,
                    **common, **of_pickle),
            measure(name="load part", ours=lambda: load_part(part),
                    rival=lambda: pickle.loads(pkl.read_bytes()), **common, **of_pickle),
        ]  # fmt: skip


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
