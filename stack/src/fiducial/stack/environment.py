"""An environment's definition: what a lock is resolved from, and its digest.

``environments/NAME/wheels.in`` lists components (``fiducial-core``, with extras in brackets)
and third-party requirements, one a line, and may say ``-c ../OTHER/wheels.lock`` to take the
versions of another environment. ``environments/pins.yaml`` pins packages everywhere, each with
a reason; ``environments/common/wheels.yaml`` says which Pythons are meant. The definition is
these and the dependency metadata of the components: everything that may move a lock.

``environments/NAME/wheels.yaml`` may name a newer C library than the common one, for packages
that have no wheel for the common one: it bears on where a stack runs, not on the lock.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.files import sha256_bytes, sha256_file
from fiducial.stack.workspace import PREFIX, Component, Workspace


@dataclass(frozen=True)
class Pin:
    """A package held at a version everywhere, and why."""

    package: str
    specifier: str
    reason: str


@dataclass(frozen=True)
class Environment:
    """A validated definition. ``components`` maps each to the extras wanted of it.

    ``glibc`` is the oldest C library that stacks are to run with ("" for that of the builder):
    it bears on which wheel of a package is taken, not on the lock. A package without a wheel for
    it may have one for ``newer_glibc`` ("" where the environment allows no newer one).
    """

    name: str
    directory: Path
    title: str
    python: str
    resolve_for: str
    glibc: str
    newer_glibc: str
    components: dict[str, frozenset[str]]
    requirements: tuple[Requirement, ...]
    pins: tuple[Pin, ...]
    constraints: tuple[Path, ...]
    inputs: dict[str, tuple[str, ...]]

    @property
    def lock_path(self) -> Path:
        """Where the committed lock lies."""
        return self.directory / "wheels.lock"

    @property
    def digest(self) -> str:
        """SHA-256 of the definition: of every input that may move the lock."""
        return sha256_bytes(json.dumps(self.inputs, sort_keys=True).encode())


def load_environment(workspace: Workspace, name: str) -> Environment:
    """The definition of environment ``name``; all its mistakes at once."""
    directory = workspace.environments / name
    path = directory / "wheels.in"
    if not path.is_file():
        raise InputError(
            f"no environment '{name}'", None, did_you_mean(name, workspace.environment_names())
        )
    mistakes: list[Mistake] = []
    common = _read_common(workspace, mistakes)
    newer_glibc = _read_newer_glibc(workspace, directory, common["glibc"], mistakes)
    pins = _read_pins(workspace, mistakes)
    wanted, third_party, constraints = _read_wheels_in(workspace, path, mistakes)
    components = _close(workspace, wanted, mistakes)
    if mistakes:
        raise Mistakes(mistakes, f"environment {name}")
    return Environment(
        name=name,
        directory=directory,
        title=_title(path),
        python=common["python"],
        resolve_for=common["resolve_for"],
        glibc=common["glibc"],
        newer_glibc=newer_glibc,
        components=components,
        requirements=_third_party(workspace, components, third_party),
        pins=pins,
        constraints=constraints,
        inputs=_inputs(workspace, common, pins, wanted, third_party, constraints, components),
    )


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[:1]
    return first[0].lstrip("# ").strip() if first and first[0].startswith("#") else ""


def _read_yaml(path: Path, root: Path, keys: set[str], mistakes: list[Mistake]) -> dict[str, Any]:
    where = str(path.relative_to(root))
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        mistakes.append(Mistake(where, "no such file"))
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mistakes.append(Mistake(where, f"not readable YAML ({' '.join(str(error).split())})"))
        return {}
    if not isinstance(data, dict):
        mistakes.append(Mistake(where, "must be a mapping"))
        return {}
    for key in data:
        if key not in keys:
            mistakes.append(Mistake(where, f"unknown key '{key}'", did_you_mean(str(key), keys)))
    if data.get("format") != 1:
        mistakes.append(Mistake(where, f"format is {data.get('format')!r}, this program reads 1"))
    return data


def _read_common(workspace: Workspace, mistakes: list[Mistake]) -> dict[str, str]:
    path = workspace.environments / "common" / "wheels.yaml"
    keys = {"format", "python", "resolve_for", "glibc"}
    data = _read_yaml(path, workspace.root, keys, mistakes)
    python, resolve_for = str(data.get("python", "")), str(data.get("resolve_for", ""))
    glibc = str(data.get("glibc", ""))
    where = str(path.relative_to(workspace.root))
    try:
        if data and (not python or resolve_for not in SpecifierSet(python)):
            mistakes.append(
                Mistake(where, f"resolve_for {resolve_for!r} must lie in python {python!r}")
            )
    except InvalidSpecifier:
        mistakes.append(Mistake(where, f"python {python!r} is no version range"))
    _check_glibc("glibc", glibc, where, mistakes)
    return {"python": python, "resolve_for": resolve_for, "glibc": glibc}


def _read_newer_glibc(
    workspace: Workspace, directory: Path, common: str, mistakes: list[Mistake]
) -> str:
    """The newer C library that an environment allows, or ""."""
    path = directory / "wheels.yaml"
    if not path.is_file():
        return ""
    data = _read_yaml(path, workspace.root, {"format", "newer_glibc"}, mistakes)
    newer, where = str(data.get("newer_glibc", "")), str(path.relative_to(workspace.root))
    before = len(mistakes)
    _check_glibc("newer_glibc", newer, where, mistakes)
    if len(mistakes) == before and newer and (not common or Version(newer) <= Version(common)):
        problem = f"newer_glibc {newer} is not newer than the common one ({common or 'any'})"
        mistakes.append(Mistake(where, problem, "leave it out"))
    return newer


def _check_glibc(key: str, value: str, where: str, mistakes: list[Mistake]) -> None:
    if value and not re.fullmatch(r"\d+\.\d+", value):
        mistakes.append(Mistake(where, f"{key} {value!r} is no version", 'write it as "2.28"'))


def _read_pins(workspace: Workspace, mistakes: list[Mistake]) -> tuple[Pin, ...]:
    path = workspace.environments / "pins.yaml"
    where = str(path.relative_to(workspace.root))
    rows = _read_yaml(path, workspace.root, {"format", "pins", "spack"}, mistakes).get("pins") or {}
    pins = []
    for package, row in rows.items() if isinstance(rows, dict) else []:
        row = row if isinstance(row, dict) else {}
        specifier, reason = str(row.get("version", "")), str(row.get("reason", "")).strip()
        try:
            Requirement(f"{package}{specifier}")
        except InvalidRequirement as error:
            mistakes.append(Mistake(f"{where}: pins.{package}.version", f"bad ({error})"))
        if not specifier:
            mistakes.append(Mistake(f"{where}: pins.{package}", "has no version"))
        if not reason:
            mistakes.append(Mistake(f"{where}: pins.{package}", "has no reason"))
        pins.append(Pin(canonicalize_name(package), specifier, reason))
    return tuple(sorted(pins, key=lambda pin: pin.package))


def _read_wheels_in(
    workspace: Workspace, path: Path, mistakes: list[Mistake]
) -> tuple[dict[str, frozenset[str]], list[Requirement], tuple[Path, ...]]:
    """Components wanted (name -> extras), third-party requirements, constraint files."""
    wanted: dict[str, frozenset[str]] = {}
    third_party: list[Requirement] = []
    constraints: list[Path] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path.relative_to(workspace.root)}:{number}"
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("-c "):
            other = (path.parent / text[3:].strip()).resolve()
            if other.is_file():
                constraints.append(other)
            else:
                mistakes.append(Mistake(where, f"no lock '{text[3:].strip()}' to constrain with"))
            continue
        if text.startswith("-"):
            mistakes.append(
                Mistake(where, f"'{text}' is not allowed here", "list requirements only")
            )
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            mistakes.append(Mistake(where, f"bad requirement '{text}' ({error})"))
            continue
        if requirement.url:
            mistakes.append(Mistake(where, f"'{text}' names an address", "name a version range"))
        name = canonicalize_name(requirement.name)
        if not name.startswith(PREFIX):
            third_party.append(requirement)
        elif name not in workspace.components:
            hint = did_you_mean(name, workspace.components)
            mistakes.append(Mistake(where, f"no component '{name}'", hint))
        else:
            extras = {canonicalize_name(extra) for extra in requirement.extras}
            wanted[name] = wanted.get(name, frozenset()) | extras
            known = workspace.components[name].extras
            mistakes += [
                Mistake(where, f"{name} has no extra '{extra}'", did_you_mean(extra, known))
                for extra in sorted(extras - known.keys())
            ]
    return wanted, third_party, tuple(constraints)


def _close(
    workspace: Workspace, wanted: dict[str, frozenset[str]], mistakes: list[Mistake]
) -> dict[str, frozenset[str]]:
    """``wanted`` and every component that these need, with the extras asked for."""
    closed: dict[str, frozenset[str]] = {}
    todo = list(wanted.items())
    while todo:
        name, extras = todo.pop()
        component = workspace.components[name]
        extras = frozenset(extras & component.extras.keys())
        if name in closed and extras <= closed[name]:
            continue
        closed[name] = closed.get(name, frozenset()) | extras
        for requirement in component.needs(closed[name]):
            needed = canonicalize_name(requirement.name)
            if not needed.startswith(PREFIX):
                continue
            mistake = _check_internal(workspace, component, requirement, needed)
            if mistake is not None:
                mistakes.append(mistake)
            else:
                asked = frozenset(canonicalize_name(extra) for extra in requirement.extras)
                todo.append((needed, asked))
    return dict(sorted(closed.items()))


def _check_internal(
    workspace: Workspace, component: Component, requirement: Requirement, needed: str
) -> Mistake | None:
    path = (component.directory / "pyproject.toml").relative_to(workspace.root)
    if needed not in workspace.components:
        hint = did_you_mean(needed, workspace.components)
        return Mistake(str(path), f"needs '{needed}', which is no component", hint)
    version = workspace.components[needed].version
    if not requirement.specifier.contains(version, prereleases=True):
        return Mistake(
            str(path), f"needs {requirement}, but {needed} here is {version}", "widen the range"
        )
    unknown = {canonicalize_name(e) for e in requirement.extras} - set(
        workspace.components[needed].extras
    )
    if unknown:
        return Mistake(str(path), f"needs {requirement}: no extra {', '.join(sorted(unknown))}")
    return None


def _third_party(
    workspace: Workspace, components: dict[str, frozenset[str]], own: list[Requirement]
) -> tuple[Requirement, ...]:
    rows = {str(requirement): requirement for requirement in own}
    for name, extras in components.items():
        for requirement in workspace.components[name].needs(extras):
            if not canonicalize_name(requirement.name).startswith(PREFIX):
                rows[str(requirement)] = requirement
    return tuple(rows[text] for text in sorted(rows))


def _inputs(
    workspace: Workspace,
    common: dict[str, str],
    pins: tuple[Pin, ...],
    wanted: dict[str, frozenset[str]],
    third_party: list[Requirement],
    constraints: tuple[Path, ...],
    components: dict[str, frozenset[str]],
) -> dict[str, tuple[str, ...]]:
    """Every input by label, as normalised text: what the lock's header repeats."""
    rows = [str(requirement) for requirement in third_party]
    rows += [
        name + (f"[{','.join(sorted(extras))}]" if extras else "")
        for name, extras in wanted.items()
    ]
    inputs = {
        "python": (common["python"], f"resolved for {common['resolve_for']}"),
        "wheels.in": tuple(sorted(rows)),
        "pins.yaml": tuple(f"{pin.package}{pin.specifier}" for pin in pins),
    }
    for path in constraints:
        inputs[f"constraint {path.parent.name}/{path.name}"] = (f"sha256:{sha256_file(path)}",)
    for name, extras in components.items():
        component = workspace.components[name]
        label = name + (f"[{','.join(sorted(extras))}]" if extras else "")
        needs = sorted(str(requirement) for requirement in component.needs(extras))
        inputs[f"{label} {component.version}"] = tuple(needs)
    return inputs
