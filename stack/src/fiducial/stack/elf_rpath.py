"""Make an ELF program look for its shared libraries beside itself.

The run path (DT_RUNPATH or DT_RPATH) is a string in the program's string table. A bundled
Python needs ``$ORIGIN/../lib`` there instead of the directory it was installed in; the new text
is written over the old one, which must be at least as long and shared with no other name.
Little-endian 64-bit ELF only (x86-64, AArch64). System V ABI, "Dynamic Section".
"""

from __future__ import annotations

import struct
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB, _DT_SYMTAB, _DT_SONAME = 1, 5, 6, 14
_DT_RPATH, _DT_RUNPATH = 15, 29
_SYMBOL_BYTES = 24


def set_run_path(program: Path, wanted: str) -> None:
    """Replace the run path of ``program`` by ``wanted``; raises EnvironmentProblem if it cannot."""
    data = bytearray(program.read_bytes())
    offset, old = _find_run_path(data, program)
    new = wanted.encode()
    if len(new) > len(old):
        raise EnvironmentProblem(
            f"cannot bundle {program}",
            f"its run path '{old.decode()}' leaves no room for '{wanted}'",
            "use a Python that is linked statically, or one with a longer run path",
        )
    data[offset : offset + len(old)] = new.ljust(len(old), b"\0")
    program.write_bytes(data)


def read_run_path(program: Path) -> str:
    """The run path of ``program``."""
    return _find_run_path(bytearray(program.read_bytes()), program)[1].decode()


def needed_libraries(program: Path) -> list[str]:
    """The shared libraries that ``program`` asks for, by name."""
    data = bytearray(program.read_bytes())
    rows, _, strings = _dynamic(data, program)
    starts = [strings + value for tag, value in rows if tag == _DT_NEEDED]
    return [bytes(data[start : data.index(b"\0", start)]).decode() for start in starts]


def _dynamic(
    data: bytearray, program: Path
) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]], int]:
    """Rows of the dynamic section, loaded segments, file offset of the string table."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise EnvironmentProblem(f"cannot bundle {program}", "not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, table + size * row) for row in range(count)]
    loads = [(row[3], row[2], row[5]) for row in segments if row[0] == _PT_LOAD]
    dynamic = next(((row[2], row[5]) for row in segments if row[0] == _PT_DYNAMIC), None)
    if dynamic is None:
        raise EnvironmentProblem(f"cannot bundle {program}", "it has no dynamic section")
    rows: list[tuple[int, int]] = [
        struct.unpack_from("<qQ", data, dynamic[0] + 16 * row) for row in range(dynamic[1] // 16)
    ]
    return rows, loads, _file_offset(loads, dict(reversed(rows))[_DT_STRTAB])


def _find_run_path(data: bytearray, program: Path) -> tuple[int, bytes]:
    """File offset and bytes of the run path."""
    rows, loads, strings = _dynamic(data, program)
    tags = dict(reversed(rows))
    at = tags.get(_DT_RUNPATH, tags.get(_DT_RPATH))
    if at is None:
        raise EnvironmentProblem(f"cannot bundle {program}", "it has no run path")
    end = data.index(b"\0", strings + at)
    others = {value for tag, value in rows if tag in (_DT_NEEDED, _DT_SONAME)}
    symbols = _file_offset(loads, tags[_DT_SYMTAB])
    # the string table follows the symbol table, as every linker lays them
    for row in range(symbols, strings, _SYMBOL_BYTES):
        others.add(struct.unpack_from("<I", data, row)[0])
    if any(at < other < end - strings for other in others):
        raise EnvironmentProblem(f"cannot bundle {program}", "its run path is shared with a name")
    return strings + at, bytes(data[strings + at : end])


def _file_offset(loads: list[tuple[int, int, int]], address: int) -> int:
    for virtual, at, length in loads:
        if virtual <= address < virtual + length:
            return at + address - virtual
    raise EnvironmentProblem("cannot bundle the interpreter", "damaged ELF file")
