"""RNTuple, by its binary format specification 1.0, in ROOT files: a writer and a reader of our own.

Knows nothing of events: it writes awkward layouts and gives them back. Order of the modules:
``frames`` (bytes), ``records`` (the table of the specification), ``envelopes``, ``blocks``
(compression), ``encoding`` (pages), ``rootfile``/``rootfile_read`` (the container), ``fields``
(types), ``cluster`` and ``write``, ``read``.

The specification: ROOT's tree/ntuple/doc/BinaryFormatSpecification.md, version 1.0.0.1; names
in quotes in the docstrings are its sections.
"""

from fiducial.io.rntuple.blocks import Compression
from fiducial.io.rntuple.read import NTuple, RNTupleFile
from fiducial.io.rntuple.tree import Unsupported
from fiducial.io.rntuple.write import NTupleWriter, RootFileWriter

__all__ = [
    "Compression",
    "NTuple",
    "NTupleWriter",
    "RNTupleFile",
    "RootFileWriter",
    "Unsupported",
]
