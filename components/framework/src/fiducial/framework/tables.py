"""Tables of a run: what its consumers saw, a row an event, a particle or a pair.

``tables.npz`` holds every column under ``step/table/column``.  It is written as a stream, so that
memory does not grow with the run: while ranges are merged, each column is appended to a file of
its own; at the end the columns are copied into the archive.  The same tables always give the
same bytes: entries are sorted, stored without compression, and carry a fixed time.
Columns are numbers or booleans of the same type in every range; anything else is a step's error.
Source: numpy.lib.format (npy 1.0), APPNOTE.TXT of ZIP.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fiducial.core.errors import InputError, InternalError

Column = npt.NDArray[Any]
Tables = dict[str, dict[str, Column]]
"""{"step/table": {column: (rows,)}}"""

_EPOCH = (1980, 1, 1, 0, 0, 0)


def storable(step: str, name: str, table: Mapping[str, Any]) -> dict[str, Column]:
    """The columns of one table as it is stored: contiguous numbers in native byte order."""
    where = f"table '{name}' of the step '{step}'"
    columns: dict[str, Column] = {}
    for key, values in table.items():
        if "/" in f"{name}{key}" or not name or not key:
            raise InternalError(f"column '{key}' of {where} cannot be stored", "names with '/'")
        column = np.ascontiguousarray(values)
        if column.dtype.kind not in "biufc":
            raise InternalError(
                f"column '{key}' of {where} holds {column.dtype}", hint="give numbers or booleans"
            )
        columns[key] = column.astype(column.dtype.newbyteorder("="), copy=False)
    return columns


class TableWriter:
    """Appends the tables of ranges, in event order; then writes them as one archive.

    directory  an empty directory for the columns while the run lasts
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._streams: dict[str, BinaryIO] = {}
        self._dtypes: dict[str, np.dtype[Any]] = {}
        self._rows: dict[str, int] = {}
        self._keys: tuple[str, ...] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    def extend(self, tables: Tables) -> None:
        """Append the tables of the next range."""
        flat = {f"{t}/{c}": column for t, table in tables.items() for c, column in table.items()}
        keys = tuple(sorted(flat))
        if self._keys is None:
            self._keys = keys
            for position, key in enumerate(keys):
                self._streams[key] = (self._directory / f"{position}.column").open("w+b")
                self._dtypes[key], self._rows[key] = flat[key].dtype, 0
        if keys != self._keys:
            odd = sorted(set(keys) ^ set(self._keys))
            raise InternalError(
                f"ranges of one run differ in their columns ({', '.join(odd)})",
                hint="a consumer must give the same tables for any events, also for none",
            )
        for key, column in flat.items():
            if column.dtype != self._dtypes[key]:
                raise InternalError(
                    f"column '{key}' is {self._dtypes[key]} here and {column.dtype} there",
                    hint="name the dtype where the column is made, so that no row is no reason",
                )
            self._streams[key].write(column.data)
            self._rows[key] += len(column)

    def close(self, path: Path) -> str:
        """Write the archive; returns the digest of its content (see `tables_sha256`)."""
        digest = hashlib.sha256()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for key in self._keys or ():
                stream, dtype, rows = self._streams[key], self._dtypes[key], self._rows[key]
                _digest_head(digest, key, dtype, rows)
                stream.seek(0)
                while piece := stream.read(1 << 20):
                    digest.update(piece)
                stream.seek(0)
                member = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
                member.external_attr, member.create_system = 0o644 << 16, 3
                with archive.open(member, "w", force_zip64=True) as entry:
                    entry.write(_npy_header(dtype, rows))
                    shutil.copyfileobj(stream, entry, 1 << 20)
        self.abandon()
        return digest.hexdigest()

    def abandon(self) -> None:
        """Close and remove the columns' files."""
        for stream in self._streams.values():
            with contextlib.suppress(OSError):  # what a full disk did not take
                stream.close()
        self._streams = {}
        shutil.rmtree(self._directory, ignore_errors=True)


def _npy_header(dtype: np.dtype[Any], rows: int) -> bytes:
    stream = io.BytesIO()
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (rows,),
    }
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def _digest_head(digest: Any, key: str, dtype: np.dtype[Any], rows: int) -> None:
    digest.update(f"{key}\0{dtype.str}\0{rows}\0".encode())


def tables_sha256(tables: Tables) -> str:
    """Digest of tables: per column in sorted order its key, type, length and bytes."""
    digest = hashlib.sha256()
    flat = {f"{t}/{c}": column for t, table in tables.items() for c, column in table.items()}
    for key in sorted(flat):
        _digest_head(digest, key, flat[key].dtype, len(flat[key]))
        digest.update(np.ascontiguousarray(flat[key]).data)
    return digest.hexdigest()


def load_tables(path: Path) -> Tables:
    """Read ``tables.npz``: {"step/table": {column: (rows,)}}."""
    tables: Tables = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in archive.files:
                table, _, column = key.rpartition("/")
                tables.setdefault(table, {})[column] = archive[key]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(
            f"cannot read the tables {path}", str(error), "run the chain again with --force"
        ) from error
    return tables
