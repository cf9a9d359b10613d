"""What is installed in a prefix, read from its ``*.dist-info`` (and put in one form).

``normalise`` takes away what an installer notes of itself and of the machine it ran on (where a
wheel came from, when, where its Python lies), so that the prefix depends on the wheels alone, not
on the builder; ``read_installed`` tells which files, licence and requirements each package has, and
``owners`` checks every file against the digest that its own wheel states, so that a damaged
download cache is found here and not in a physics result.
"""

from __future__ import annotations

import base64
import csv
import email.parser
import email.policy
import io
import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from fiducial.stack.errors import EnvironmentProblem, Mistake, Mistakes
from fiducial.stack.launchers import record_row, write_launchers
from fiducial.stack.manifest import Entry, File

_NOTES = ("direct_url.json", "REQUESTED", "uv_cache.json")
_INSTALLER = b"fiducial\n"
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "ISC License": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Apache Software License": "Apache License",
}
_KNOWN = {
    "gnu gpl v2 or later": "GPL-2.0-or-later",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "mit license": "MIT",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
}


@dataclass(frozen=True)
class Installed:
    """One installed package. ``files`` maps paths below the prefix to stated SHA-256 (or "")."""

    name: str
    version: str
    summary: str
    licence: str
    requires: tuple[Requirement, ...]
    files: dict[str, str]


def site_packages(prefix: Path, minor: str) -> Path:
    """Where the packages of a prefix lie."""
    return prefix / "lib" / f"python{minor}" / "site-packages"


def normalise(prefix: Path, minor: str) -> None:
    """Give every prefix with the same wheels the same bytes and modes.

    The installer's notes go, programs find the Python beside them, each RECORD is sorted, modes
    are 644 or 755, and no file is shared with a cache.
    """
    site = site_packages(prefix, minor)
    for info in sorted(site.glob("*.dist-info")):
        _normalise_info(prefix, site, info)
    for folder, folders, names in os.walk(prefix):
        for name in [*folders, *names]:
            path = f"{folder}/{name}"
            status = os.lstat(path)
            if os.path.islink(path):  # noqa: PTH114
                continue
            mode = 0o755 if name in folders or status.st_mode & 0o111 else 0o644
            if status.st_nlink > 1 and name not in folders:
                with open(path, "rb") as stream:  # noqa: PTH123
                    _rewrite(Path(path), stream.read())  # shared with the cache: take a copy
            if status.st_mode & 0o7777 != mode or status.st_nlink > 1:
                os.chmod(path, mode)  # noqa: PTH101


def _normalise_info(prefix: Path, site: Path, info: Path) -> None:
    gone = {f"{info.name}/{note}" for note in _NOTES}
    for note in _NOTES:
        (info / note).unlink(missing_ok=True)
    up = os.path.relpath(prefix / "bin", site) + "/"
    rows = {row[0]: row for row in record(info) if row[0] not in gone and not _compiled(row)}
    brought = [path.removeprefix(up) for path in rows if path.startswith(up)]
    for name, data in write_launchers(prefix, info, brought).items():
        rows[up + name] = record_row(up + name, data)
    installer = f"{info.name}/INSTALLER"
    _rewrite(info / "INSTALLER", _INSTALLER)
    rows[installer] = record_row(installer, _INSTALLER)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows.values()))
    _rewrite(info / "RECORD", text.getvalue().encode())


def _compiled(row: list[str]) -> bool:
    """Whether an installer made the file: the wheel's own files have a digest."""
    return row[0].endswith(".pyc") and not (len(row) > 1 and row[1])


def _rewrite(path: Path, data: bytes) -> None:
    """Write ``data`` as a new file, so that one hard-linked elsewhere is not altered there."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def record(info: Path) -> list[list[str]]:
    """The rows of a ``dist-info``'s RECORD: path below site-packages, digest, size."""
    with (info / "RECORD").open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.reader(stream) if row]


def read_installed(prefix: Path, minor: str) -> dict[str, Installed]:
    """Every installed package by name, sorted."""
    site = site_packages(prefix, minor)
    inside = site.relative_to(prefix).as_posix()
    found = {}
    for info in sorted(site.glob("*.dist-info")):
        text = (info / "METADATA").read_bytes()
        metadata = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(
            text, headersonly=True
        )
        files = {}
        for row in record(info):
            path = posixpath.normpath(f"{inside}/{row[0]}")
            files[path] = hexadecimal(row[1]) if len(row) > 1 else ""
        name = canonicalize_name(str(metadata["Name"]))
        found[name] = Installed(
            name=name,
            version=str(metadata["Version"]),
            summary=" ".join(str(metadata.get("Summary") or "").split()),
            licence=licence_of(metadata),
            requires=_requires([str(row) for row in metadata.get_all("Requires-Dist") or []]),
            files=files,
        )
    return dict(sorted(found.items()))


def hexadecimal(stated: str) -> str:
    """The digest of a RECORD row as 64 digits; "" where it states none."""
    if not stated.startswith("sha256="):
        return ""
    return base64.urlsafe_b64decode(stated[7:] + "=" * (-len(stated[7:]) % 4)).hex()


def _requires(rows: list[str]) -> tuple[Requirement, ...]:
    found = []
    for row in rows:
        try:
            found.append(Requirement(row))
        except InvalidRequirement:
            continue  # the installer resolved without it too
    return tuple(found)


def licence_of(metadata: Message) -> str:
    """The licence that a wheel's METADATA states: an SPDX expression where it can be one.

    License-Expression, else a short License, else the classifiers; else "unknown".
    """
    stated = [str(metadata.get("License-Expression") or ""), str(metadata.get("License") or "")]
    for text in (part.strip() for part in stated):
        if text and "\n" not in text and len(text) <= 100 and text.upper() != "UNKNOWN":
            return _spdx(text)
    rows = [str(row) for row in metadata.get_all("Classifier") or []]
    names = [
        row.rpartition(" :: ")[2]
        for row in rows
        if row.startswith("License ::") and row != "License :: OSI Approved"
    ]
    if names:
        return " AND ".join(sorted({_CLASSIFIERS.get(name, name) for name in names}))
    return "unknown"


def _spdx(text: str) -> str:
    text = _KNOWN.get(text.lower(), text)
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return text


def required_names(
    installed: Mapping[str, Installed],
    wanted: Mapping[str, frozenset[str]],
    markers: Mapping[str, str],
) -> dict[str, tuple[str, ...]]:
    """For each package the installed packages that it needs, with the extras asked of it.

    ``wanted`` names the packages asked for directly, with their extras.
    """
    extras: dict[str, set[str]] = {name: set(wanted.get(name, ())) for name in installed}
    needs: dict[str, set[str]] = {name: set() for name in installed}
    todo = list(installed)
    while todo:
        name = todo.pop()
        for requirement in installed[name].requires:
            other = canonicalize_name(requirement.name)
            if other not in installed or not _holds(requirement, extras[name], markers):
                continue
            needs[name].add(other)
            asked = {canonicalize_name(extra) for extra in requirement.extras}
            if not asked <= extras[other]:
                extras[other] |= asked
                todo.append(other)
    return {name: tuple(sorted(found)) for name, found in needs.items()}


def _holds(requirement: Requirement, extras: set[str], markers: Mapping[str, str]) -> bool:
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**markers, "extra": extra}) for extra in ["", *sorted(extras)]
    )


def owners(
    installed: Mapping[str, Installed], entries: Mapping[str, Entry], kept: str, remedy: str
) -> dict[str, dict[str, Entry]]:
    """The files of each package among ``entries``, with compiled files beside their sources.

    Raises Mistakes where two packages bring different files under one path, and
    EnvironmentProblem where a file is not what its wheel states: then what was ``kept`` since it
    was fetched is damaged, and ``remedy`` says how to make it anew.
    """
    claims: dict[str, list[tuple[str, str]]] = {}
    for package in installed.values():
        for path, stated in package.files.items():
            claims.setdefault(path, []).append((package.name, stated))
    mistakes: list[Mistake] = []
    damaged: list[str] = []
    for path, rows in claims.items():
        entry = entries.get(path)
        names = ", ".join(name for name, _ in rows)
        if len({stated for _, stated in rows if stated}) > 1:
            mistakes.append(Mistake(path, f"{names} bring different files of this name"))
        elif entry is None:
            damaged.append(f"{names}: {path} is missing")
        elif _damaged(path, entry, rows):
            damaged.append(f"{names}: {path}")
    if mistakes:
        raise Mistakes(mistakes, "the packages")
    if damaged:
        raise EnvironmentProblem(
            "installed files are not what their wheels state",
            f"{kept} is damaged" + "".join(f"\n  {row}" for row in damaged[:20]),
            remedy,
        )
    owner = {path: rows[0][0] for path, rows in claims.items()}
    files: dict[str, dict[str, Entry]] = {name: {} for name in installed}
    for path in sorted(entries):
        name = owner.get(path) or owner.get(_source_of(path))
        if name is not None:
            files[name][path] = entries[path]
    return files


def _damaged(path: str, entry: Entry, rows: list[tuple[str, str]]) -> bool:
    if not isinstance(entry, File) or path.endswith(".pyc"):
        return False
    return any(stated not in ("", entry.sha256) for _, stated in rows)


def _source_of(path: str) -> str:
    """The source of a compiled file: ``a/__pycache__/b.cpython-311.pyc`` -> ``a/b.py``."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not folder.endswith("__pycache__"):
        return ""
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{name.split('.')[0]}.py"
