"""Installed chains by name, through entry point group ``fiducial.chains``.

An entry point's value is a function that returns a directory; each ``<name>.yaml`` in it is the
chain of that name.  A path (anything with a separator or the suffix .yaml or .yml) is taken as it
is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fiducial.core.errors import EnvironmentProblem, InputError, InternalError, did_you_mean
from fiducial.framework.registry import CHAINS, registrations


@dataclass(frozen=True)
class InstalledChain:
    """A chain file and the distribution that brings it."""

    name: str
    path: Path
    distribution: str
    version: str


def installed_chains() -> list[InstalledChain]:
    """All chains of all registered directories, by name."""
    found: list[InstalledChain] = []
    for registration in registrations(CHAINS):
        who = f"the chains of {registration.distribution}"
        try:
            directory = Path(registration.entry.load()())
        except ImportError as error:
            raise EnvironmentProblem(
                f"{who} cannot be found",
                f"{type(error).__name__}: {error}",
                f"reinstall {registration.distribution} {registration.version}",
            ) from error
        if not directory.is_dir():
            raise InternalError(f"{who} cannot be found", f"{directory} is not a directory")
        found.extend(
            InstalledChain(path.stem, path, registration.distribution, registration.version)
            for path in sorted(directory.glob("*.yaml"))
        )
    return sorted(found, key=lambda chain: (chain.name, chain.distribution))


def spelled(name: str, source: str) -> str:
    """How to ask for a chain again: by its name where `source` is an installed chain's file."""
    path = Path(source)
    for chain in installed_chains():
        if chain.name == name and path.exists() and chain.path.samefile(path):
            return chain.name
    return source


def chain_path(source: str | Path) -> Path:
    """The file of a chain given by name or path."""
    text = os.fspath(source)
    if isinstance(source, Path) or os.sep in text or text.endswith((".yaml", ".yml")):
        path = Path(source)
        if not path.is_file():
            near = sorted(p.name for p in path.parent.glob("*.y*ml"))
            hint = did_you_mean(path.name, near) if near else "check the path"
            raise InputError(f"no chain file {path}", hint=hint)
        return path
    chains = installed_chains()
    found = [chain for chain in chains if chain.name == text]
    if not found:
        hint = (
            did_you_mean(text, [chain.name for chain in chains])
            if chains
            else "none is installed; give the path of a YAML file"
        )
        raise InputError(f"no chain '{text}'", hint=hint)
    if len(found) > 1:
        owners = " and ".join(chain.distribution for chain in found)
        raise InputError(f"two chains '{text}'", f"of {owners}", f"give a path: {found[0].path}")
    return found[0].path
