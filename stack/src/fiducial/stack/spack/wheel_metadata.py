"""What recipes need to know of each wheel, read once from the wheel itself and kept.

``spack-repo/wheel-metadata.json`` has one entry a wheel, under the wheel's own SHA-256: an entry
cannot be stale, and recipes are checked without a network and without the wheels. What is missing
is read from the wheel, which uv fetches, checks against the hash of the lock, and unpacks in its
cache, from where it is only looked at. ``READER`` changes with what is made of the metadata, so
that everything is read again.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.spack.licences import UnclearLicence, licence
from fiducial.stack.tools import run_uv
from fiducial.stack.workspace import Workspace

_HOST = re.compile(r"\s*\([a-z0-9.-]+\.[a-z]{2,}\)")  # neither table nor recipe names a host
FORMAT = 1
READER = 1
PLATFORM = "x86_64-manylinux_2_40"
"""What uv is told to install for; the hashes choose the files."""


@dataclass(frozen=True)
class WheelMetadata:
    """One wheel: what its metadata says, and what it holds. ``licence`` is "" where unclear."""

    name: str
    version: str
    summary: str
    licence: str
    requires: tuple[str, ...]
    modules: tuple[str, ...]


@dataclass(frozen=True)
class WantedWheel:
    """A wheel of a lock: what it is called there, and its hash."""

    name: str
    version: str
    sha256: str


def table_path(workspace: Workspace) -> Path:
    """Where the table is kept."""
    return workspace.root / "spack-repo" / "wheel-metadata.json"


def read_table(path: Path) -> dict[str, WheelMetadata]:
    """The table, by SHA-256; empty where there is none or another reader made it."""
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if [data["format"], data["reader"]] != [FORMAT, READER]:
            return {}
        return {digest: _entry(row) for digest, row in data["wheels"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "restore it, or remove it and run: fiducial recipes sync"
        raise InputError(f"{path} is not a table of wheels", str(error), hint) from error


def _entry(row: Mapping[str, Any]) -> WheelMetadata:
    if row.keys() != {field.name for field in fields(WheelMetadata)}:
        raise ValueError(f"an entry has {', '.join(sorted(row))}")
    return WheelMetadata(
        name=str(row["name"]),
        version=str(row["version"]),
        summary=str(row["summary"]),
        licence=str(row["licence"]),
        requires=tuple(map(str, row["requires"])),
        modules=tuple(map(str, row["modules"])),
    )


def render_table(table: Mapping[str, WheelMetadata]) -> str:
    """The text of the table: by name, then by hash."""
    rows = sorted(table.items(), key=lambda row: (row[1].name, row[0]))
    data = {
        "format": FORMAT,
        "reader": READER,
        "wheels": {digest: asdict(metadata) for digest, metadata in rows},
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def fetch(wanted: list[WantedWheel]) -> dict[str, WheelMetadata]:
    """The metadata of wheels, by SHA-256; uv brings them and checks their hashes.

    Raises EnvironmentProblem where the package index cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="fiducial-wheels-") as folder:
        rows = Path(folder, "wheels.txt")
        rows.write_text(
            "".join(f"{w.name}=={w.version} --hash=sha256:{w.sha256}\n" for w in wanted)
        )
        target = Path(folder, "wheels")
        arguments = ["pip", "install", "--quiet", "--target", str(target), "--no-deps"]
        arguments += ["--require-hashes", "--only-binary", ":all:", "--link-mode", "symlink"]
        arguments += ["--python", sys.executable, "--python-version", "3.11"]
        arguments += ["--python-platform", PLATFORM, "--requirements", str(rows)]
        run_uv(arguments, "read the metadata of wheels")
        found = {
            canonicalize_name(distribution.name): read_distribution(distribution)
            for distribution in importlib.metadata.distributions(path=[str(target)])
        }
    table = {}
    for wheel in wanted:
        metadata = found.get(canonicalize_name(wheel.name))
        if metadata is None or metadata.version != wheel.version:
            said = "nothing" if metadata is None else metadata.version
            raise EnvironmentProblem(
                f"the wheel of {wheel.name} {wheel.version} cannot be read", f"uv brought {said}"
            )
        table[wheel.sha256] = metadata
    return table


def read_distribution(distribution: importlib.metadata.Distribution) -> WheelMetadata:
    """What an installed distribution says of itself."""
    try:
        terms = licence(distribution)
    except UnclearLicence:
        terms = ""
    said = distribution.metadata.get_all("Summary") or [""]
    return WheelMetadata(
        name=canonicalize_name(distribution.name),
        version=distribution.version,
        summary=_HOST.sub("", " ".join(said[0].split()).rstrip(".")),
        licence=terms,
        requires=tuple(distribution.requires or ()),
        modules=tuple(import_names(distribution)),
    )


def import_names(distribution: importlib.metadata.Distribution) -> list[str]:
    """The outermost packages and modules that a distribution brings, private ones left out."""
    files = [file for file in distribution.files or () if file.suffix in (".py", ".so")]
    packages = {file.parts[:-1] for file in files if file.name == "__init__.py"}
    outermost = {
        parts for parts in packages if not any(parts[:n] in packages for n in range(1, len(parts)))
    }
    names = {".".join(parts) for parts in outermost}
    names |= {file.name.split(".")[0] for file in files if len(file.parts) == 1}
    return sorted(
        name
        for name in names
        if all(part.isidentifier() and part[0] != "_" for part in name.split("."))
    )
