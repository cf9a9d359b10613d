"""Event files: RNTuple, HepMC3, LHE, and part files for checkpoints."""

from fiducial.io.part_file import load_part, save_part

__all__ = ["load_part", "save_part"]
