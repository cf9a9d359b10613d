"""Resolve an environment into exact packages with uv, and compare two resolutions.

uv reaches the package index by its own configuration; no address is given to it or kept.
Only binary wheels are considered.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fiducial.stack.environment import Environment
from fiducial.stack.errors import InputError, Mistake, Mistakes
from fiducial.stack.lockfile import Lock, LockedPackage, parse_packages
from fiducial.stack.tools import run_uv


@dataclass(frozen=True)
class Change:
    """One package that differs between two locks. ``kind``: added, removed or changed."""

    name: str
    kind: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.kind == "added":
            return f"+ {self.name} {self.after}"
        if self.kind == "removed":
            return f"- {self.name} {self.before}"
        return f"~ {self.name} {self.before} -> {self.after}"


def resolve(
    environment: Environment, old: Lock | None = None, upgrade: bool = False
) -> tuple[LockedPackage, ...]:
    """The exact packages of ``environment``, sorted by name.

    Versions of ``old`` are kept where the definition still allows them, unless ``upgrade``.
    Raises InputError where no set of versions fits, EnvironmentProblem without network.
    """
    with tempfile.TemporaryDirectory(prefix="fiducial-lock-") as folder:
        work = Path(folder)
        source, pins, output = work / "wheels.in", work / "pins.txt", work / "wheels.lock"
        source.write_text("".join(f"{row}\n" for row in environment.requirements))
        rows = [f"{pin.package}{pin.specifier}\n" for pin in environment.pins]
        pins.write_text("".join(rows))
        if old is not None:
            output.write_text("".join(f"{package.text}\n" for package in old.packages))
        arguments = ["pip", "compile", str(source)]
        if environment.pins:
            arguments += ["--constraints", str(pins)]
        for path in environment.constraints:
            arguments += ["--constraints", str(path)]
        arguments += ["--universal", "--python-version", environment.resolve_for]
        arguments += ["--generate-hashes", "--only-binary", ":all:", "--no-header", "--no-annotate"]
        arguments += ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-build-options"]
        first = [*arguments, "--output-file", str(output)] + (["--upgrade"] if upgrade else [])
        run_uv(first, f"resolve environment {environment.name}", InputError)
        text = output.read_text()
        # the same once more, held to the first answer, in the format that names each file
        named = work / "pylock.toml"
        arguments += ["--constraints", str(output), "--format", "pylock.toml"]
        run_uv([*arguments, "--output-file", str(named)], f"name the files of {environment.name}")
        files = _file_names(tomllib.loads(named.read_text()))
    mistakes: list[Mistake] = []
    packages, _ = parse_packages(text, "uv's answer", mistakes, files)
    kept = []
    for package in packages:
        wheels = {digest: name for digest, name in package.wheels.items() if name}
        kept.append(replace(package, wheels=wheels))
        if not wheels:
            mistakes.append(
                Mistake(package.head, "has no binary wheel", "pin another version in pins.yaml")
            )
    if mistakes:
        raise Mistakes(mistakes, f"the resolution of environment {environment.name}")
    return tuple(sorted(kept, key=lambda package: (package.name, package.head)))


def _file_names(pylock: dict[str, Any]) -> dict[str, str]:
    """Digest -> file name of every wheel in a pylock.toml (PEP 751); addresses are dropped."""
    names = {}
    for package in pylock.get("packages", []):
        for wheel in package.get("wheels", []):
            where = wheel.get("name") or wheel.get("url") or wheel.get("path") or ""
            names[wheel["hashes"]["sha256"]] = unquote(where.rpartition("/")[2])
    return names


def compare(before: Iterable[LockedPackage], after: Iterable[LockedPackage]) -> list[Change]:
    """Packages added, removed and changed, by name (and by marker where a name is forked)."""
    old, new = _versions(before), _versions(after)
    changes = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name, {}), new.get(name, {})
        if was == now:
            continue
        kind = "added" if not was else "removed" if not now else "changed"
        before_text, after_text = _text(was), _text(now)
        if before_text == after_text:
            before_text, after_text = f"{before_text} (other files)", f"{after_text}"
        changes.append(Change(name, kind, before_text, after_text))
    return changes


def _versions(packages: Iterable[LockedPackage]) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {}
    for package in packages:
        found.setdefault(package.name, {})[package.head] = frozenset(package.wheels)
    return found


def _text(rows: dict[str, frozenset[str]]) -> str:
    return " / ".join(head.partition("==")[2] for head in rows)
