"""Where the user's package index keeps given files: asked of uv, which knows the index.

No address stands in this project. uv resolves exact versions with the user's own configuration
(its indexes, certificates and credentials) into a pylock.toml (PEP 751), which names the address
and the digest of every file; those with the wanted digests are kept, for this run only.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.spack.mirror_layout import Source
from fiducial.stack.tools import run_uv


@dataclass(frozen=True)
class Address:
    """Where a file is to be had now, and its size where the index tells."""

    url: str
    size: int | None

    @property
    def filename(self) -> str:
        """What the index calls it."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


def find_addresses(sources: Iterable[Source]) -> dict[str, Address]:
    """Addresses by SHA-256; a file that the index has not got is left out.

    Raises EnvironmentProblem where the index is not reached, or lacks a version altogether.
    """
    wanted = {source.sha256: distribution(source.filename) for source in sources}
    found = find_addresses_of(sorted(set(wanted.values())))
    return {digest: found[digest] for digest in wanted if digest in found}


def find_addresses_of(rows: Sequence[tuple[str, str]]) -> dict[str, Address]:
    """Addresses by SHA-256 of all files of distributions, each a name and a version."""
    found: dict[str, Address] = {}
    while rows:  # a name may be wanted in two versions: one each at a time
        batch = {name: (name, version) for name, version in reversed(rows)}
        found |= _ask(sorted(batch.values()))
        rows = [row for row in rows if batch[row[0]] != row]
    return found


def distribution(filename: str) -> tuple[str, str]:
    """Name and version of the distribution that a wheel or a source archive is of."""
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except ValueError as error:
        raise InputError(f"'{filename}' is not a file of a package index", str(error)) from error
    return canonicalize_name(name), str(version)


def _ask(rows: list[tuple[str, str]]) -> dict[str, Address]:
    with tempfile.TemporaryDirectory(prefix="fiducial-mirror-") as folder:
        source, answer = Path(folder, "wanted.txt"), Path(folder, "pylock.toml")
        source.write_text("".join(f"{name}=={version}\n" for name, version in rows))
        arguments = ["pip", "compile", str(source), "--no-deps", "--universal", "--no-header"]
        arguments += ["--python-version", "3.11", "--format", "pylock.toml"]
        run_uv([*arguments, "-o", str(answer)], "find files in the package index")
        try:
            packages = tomllib.loads(answer.read_text()).get("packages", [])
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise EnvironmentProblem("uv's answer is not readable", str(error)) from error
    return {digest: address for package in packages for digest, address in _files(package)}


def _files(package: dict[str, Any]) -> list[tuple[str, Address]]:
    rows = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    found = []
    for row in rows:
        url = row.get("url") or (Path(row["path"]).absolute().as_uri() if "path" in row else "")
        digest = row.get("hashes", {}).get("sha256")
        if url and digest:
            found.append((digest, Address(url, row.get("size"))))
    return found
