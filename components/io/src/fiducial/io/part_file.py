"""Part files: events and tables of one range, as they lie in memory, for checkpoints.

Made to be written and read back fast by the same release, not to be kept: uncompressed, with
one checksum over everything, written aside and renamed. Layout 1, little-endian::

    8 bytes   magic "FIDPART1"
    8 bytes   length h of the header
    h bytes   header: JSON (layout, byteorder, events, collections, tables, arrays with offset,
              dtype, shape), padded with spaces to a multiple of 64
    …         the arrays, each padded with zeros to a multiple of 64
    8 bytes   xxh3 (64 bit, seed 0) of all bytes before

The checksum finds accidental damage; it is no signature.
"""

from __future__ import annotations

import json
import mmap as memory_map
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from fiducial.core.device import to_host
from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.core.files import write_atomically
from fiducial.edm.batch import EventBatch
from fiducial.edm.collection import Collection
from fiducial.edm.generated import TYPES
from fiducial.edm.relation import Relation
from fiducial.edm.steps import Table
from fiducial.edm.vector_member import VectorMember
from fiducial.io.damage import DamagedFile, reading

__all__ = ["load_part", "save_part"]

MAGIC = b"FIDPART1"
LAYOUT = 1
ALIGNMENT = 64
_LENGTH = struct.Struct("<Q")
_KIND = "a part file"
_HINT = "remove it: the run makes this range again"


def save_part(
    path: str | os.PathLike[str],
    batch: EventBatch | None,
    tables: Mapping[str, Table] | None = None,
) -> None:
    """Write events and tables; the file is whole and on disk when this returns.

    batch   events of any content, or None
    tables  {name: {column: 1-D array}}
    """
    arrays: list[np.ndarray[Any, Any]] = []

    def place(array: Any) -> int:
        arrays.append(np.ascontiguousarray(to_host(array)))
        return len(arrays) - 1

    header: dict[str, Any] = {"layout": LAYOUT, "byteorder": sys.byteorder, "events": None}
    if batch is not None:
        header["events"] = batch.n_events
        header["collections"] = {
            name: {"type": c.type_name, "arrays": {key: place(a) for key, a in c.arrays()}}
            for name, c in batch.collections.items()
        }
    header["tables"] = {
        name: {key: place(column) for key, column in table.items()}
        for name, table in (tables or {}).items()
    }
    _refuse_objects(header["tables"], arrays)
    blocks = _blocks(header, arrays)

    def write(stream: Any) -> None:
        digest = xxhash.xxh3_64()
        for block in blocks:
            digest.update(block)
            stream.write(block)
        stream.write(_LENGTH.pack(digest.intdigest()))

    write_atomically(path, write)


def load_part(
    path: str | os.PathLike[str], mmap: bool = True
) -> tuple[EventBatch | None, dict[str, dict[str, Any]]]:
    """What :func:`save_part` wrote, bit for bit; raises InputError for any damage.

    mmap  map the file (privately: writing into an array does not change it), else read it
    """
    with reading(path, _KIND, _HINT):
        data = _content(Path(path), mmap)
        _check(data, path)
        length = _LENGTH.unpack(bytes(data[8:16]))[0]
        header = json.loads(bytes(data[16 : 16 + length]))
        if header["layout"] != LAYOUT or header["byteorder"] != sys.byteorder:
            raise InputError(
                f"cannot read {path}",
                f"layout {header['layout']}, {header['byteorder']}-endian; "
                f"this release reads layout {LAYOUT}, {sys.byteorder}-endian",
                _HINT,
            )
        arrays = [
            data[start : start + size].view(np.dtype(dtype)).reshape(shape)
            for start, size, dtype, shape in header["arrays"]
        ]
        batch = None
        if header["events"] is not None:
            batch = EventBatch(
                {
                    name: _collection(
                        entry["type"], {k: arrays[i] for k, i in entry["arrays"].items()}
                    )
                    for name, entry in header["collections"].items()
                },
                header["events"],
            )
        tables = {
            name: {key: arrays[i] for key, i in table.items()}
            for name, table in header["tables"].items()
        }
    return batch, tables


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _refuse_objects(tables: Mapping[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
    mistakes = [
        Mistake(f"{name}.{key}", f"a column of {arrays[i].dtype} cannot be written")
        for name, table in tables.items()
        for key, i in table.items()
        if arrays[i].dtype.hasobject
    ]
    if mistakes:
        raise Mistakes(mistakes, "the tables")


def _blocks(header: dict[str, Any], arrays: list[np.ndarray[Any, Any]]) -> list[Any]:
    """The pieces of the file, in order, without the checksum."""
    relative, entries = 0, []
    for array in arrays:
        entries.append((relative, array.nbytes, array.dtype.str, array.shape))
        relative += _padded(array.nbytes)
    length = 0
    while True:  # offsets are decimal numbers, so the header's length depends on itself
        start = len(MAGIC) + _LENGTH.size + length
        header["arrays"] = [(start + at, *rest) for at, *rest in entries]
        text = json.dumps(header).encode()
        needed = _padded(len(MAGIC) + _LENGTH.size + len(text)) - len(MAGIC) - _LENGTH.size
        if needed <= length:
            break
        length = needed
    blocks: list[Any] = [MAGIC + _LENGTH.pack(length) + text.ljust(length)]
    for array in arrays:
        if array.nbytes:
            blocks.append(array.reshape(-1).view(np.uint8).data)
            blocks.append(bytes(_padded(array.nbytes) - array.nbytes))
    return blocks


def _content(path: Path, mmap: bool) -> np.ndarray[Any, Any]:
    if not mmap:
        return np.fromfile(path, dtype=np.uint8)
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return np.empty(0, dtype=np.uint8)
        mapped = memory_map.mmap(stream.fileno(), 0, access=memory_map.ACCESS_COPY)
    return np.frombuffer(mapped, dtype=np.uint8)


def _check(data: np.ndarray[Any, Any], path: str | os.PathLike[str]) -> None:
    if data[: len(MAGIC)].tobytes() != MAGIC:
        raise DamagedFile(f"cannot read {path}", f"it is not {_KIND} of this release", _HINT)
    body, stored = data[: -_LENGTH.size], data[-_LENGTH.size :]
    if xxhash.xxh3_64_intdigest(body.data) != _LENGTH.unpack(stored.tobytes())[0]:
        raise DamagedFile(
            f"cannot read {path}", "its checksum is wrong: it is cut off or altered", _HINT
        )


def _collection(type_name: str, arrays: dict[str, Any]) -> Collection:
    """A collection from the arrays that ``Collection.arrays`` names."""
    cls = TYPES[type_name]
    schema = cls.schema
    return cls(
        arrays["offsets"],
        {name: arrays[name] for name in schema.columns},
        {
            spec.name: Relation(
                arrays[f"{spec.name}/offsets"] if spec.many else None,
                arrays[f"{spec.name}/index"],
                arrays[f"{spec.name}/collection"],
            )
            for spec in schema.relations
        },
        {
            spec.name: VectorMember(
                arrays[f"{spec.name}/offsets"],
                {column.name: arrays[f"{spec.name}/{column.name}"] for column in spec.columns},
            )
            for spec in schema.vectors
        },
    )
