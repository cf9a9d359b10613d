"""The programs of a prefix: scripts that find the Python beside them, wherever the prefix lies.

Installers write the interpreter's path into the scripts that they make of entry points, and into
those that a wheel brings with ``#!python``. Here both get a first line that works in any place and
through links. What stands below it depends on the entry point alone, so that a stack's programs
are the same whichever installer wrote them first.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import re
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, Mistake, Mistakes

_HEAD = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
"""
_BODY = """# -*- coding: utf-8 -*-
import sys
from {module} import {first}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({call}())
"""
_POINT = re.compile(r"^(?P<module>[\w.]+)\s*:\s*(?P<call>[\w.]+)\s*(?:\[.*\])?$")
_NAME = re.compile(r"^[\w][\w.+-]*$")
_PLAIN = re.compile(rb"^#![^\n]*/python[\w.]*[ \t]*\n")
_EXEC = re.compile(rb"^#!/bin/sh\n(?:#[^\n]*\n)?'''exec' [^\n]*\n' '''\n")
_CODING = re.compile(rb"^#[^\n]*coding[:=][ \t]*([-\w.]+)")
_SBANG = re.compile(rb"^#!/bin/sh [^\n]*/sbang\n")


def render_launcher(point: str) -> bytes:
    """The script of an entry point such as ``fiducial.stack.cli.app:main``."""
    match = _POINT.match(point)
    if match is None:
        raise ValueError(f"'{point}' is not MODULE:FUNCTION")
    call = match["call"]
    body = _BODY.format(module=match["module"], first=call.partition(".")[0], call=call)
    return (_HEAD + body).encode()


def entry_scripts(info: Path) -> dict[str, str]:
    """The programs that a ``dist-info`` asks for: name -> entry point."""
    path = info / "entry_points.txt"
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        why = f"{info.name}: {' '.join(str(error).split())}"
        raise EnvironmentProblem("a package's entry points are not readable", why) from error
    sections = [name for name in ("console_scripts", "gui_scripts") if parser.has_section(name)]
    return {name: point for section in sections for name, point in parser.items(section)}


def relocated(data: bytes) -> bytes | None:
    """A Python script with a first line that works anywhere; None where it is none."""
    text = _SBANG.sub(b"", data, count=1)  # Spack's, before a first line that is too long
    match = _EXEC.match(text) or _PLAIN.match(text)
    if match is None:
        return None
    body = text[match.end() :]
    coding = _CODING.match(body)
    head = _HEAD.encode()
    if coding is not None and coding[1].lower() not in (b"utf-8", b"utf8"):
        first, rest = head.split(b"\n", 1)  # Python looks for it in the first two lines
        head = first + b"\n# coding: " + coding[1] + b"\n" + rest
    return head + body


def write_launchers(prefix: Path, info: Path, scripts: list[str]) -> dict[str, bytes]:
    """Write the programs of the package of ``info``; returns their bytes by name.

    ``scripts`` are the names that its RECORD has in ``bin``.
    """
    wanted = entry_scripts(info)
    mistakes: list[Mistake] = []
    found: dict[str, bytes] = {}
    for name in sorted({*wanted, *scripts}):
        if not _NAME.match(name):
            mistakes.append(Mistake(info.name, f"'{name}' is no name of a program"))
            continue
        path = prefix / "bin" / name
        try:
            data = render_launcher(wanted[name]) if name in wanted else _own_script(path)
        except ValueError as error:
            mistakes.append(Mistake(f"{info.name}: {name}", str(error)))
            continue
        if data is not None:
            path.unlink(missing_ok=True)  # it may be shared with a cache
            path.write_bytes(data)
            path.chmod(0o755)
            found[name] = data
    if mistakes:
        raise Mistakes(mistakes, "the programs of the packages")
    return found


def _own_script(path: Path) -> bytes | None:
    with path.open("rb") as stream:
        if stream.read(2) != b"#!":
            return None
        stream.seek(0)
        return relocated(stream.read())


def record_row(path: str, data: bytes) -> list[str]:
    """The row of a RECORD for a file with these bytes."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return [path, f"sha256={digest}", str(len(data))]
