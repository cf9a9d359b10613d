"""Event files: RNTuple, HepMC3, LHE, and part files for checkpoints."""

from fiducial.io.damage import DamagedFile
from fiducial.io.hepmc3_read import HepMC3File, iterate_hepmc3, read_hepmc3
from fiducial.io.hepmc3_write import HepMC3Writer
from fiducial.io.lhe import read_lhe, write_lhe
from fiducial.io.part_file import load_part, save_part
from fiducial.io.rntuple import Compression
from fiducial.io.rntuple_read import (
    EventFile,
    iterate_rntuple,
    read_provenance,
    read_rntuple,
    verify,
)
from fiducial.io.rntuple_write import RNTupleWriter, write_rntuple

__all__ = [
    "Compression",
    "DamagedFile",
    "EventFile",
    "HepMC3File",
    "HepMC3Writer",
    "RNTupleWriter",
    "iterate_hepmc3",
    "iterate_rntuple",
    "load_part",
    "read_hepmc3",
    "read_lhe",
    "read_provenance",
    "read_rntuple",
    "save_part",
    "verify",
    "write_lhe",
    "write_rntuple",
]
