"""Event files: RNTuple, HepMC3 and LHE."""
