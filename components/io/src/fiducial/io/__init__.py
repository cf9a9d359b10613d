"""Event files: RNTuple, HepMC3, LHE, and part files for checkpoints."""

from fiducial.io.damage import DamagedFile
from fiducial.io.part_file import load_part, save_part
from fiducial.io.rntuple_read import (
    EventFile,
    iterate_rntuple,
    read_provenance,
    read_rntuple,
    verify,
)
from fiducial.io.rntuple_write import RNTupleWriter, write_rntuple

__all__ = [
    "DamagedFile",
    "EventFile",
    "RNTupleWriter",
    "iterate_rntuple",
    "load_part",
    "read_provenance",
    "read_rntuple",
    "save_part",
    "verify",
    "write_rntuple",
]
