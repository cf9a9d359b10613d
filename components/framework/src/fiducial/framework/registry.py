"""Steps by name, through entry point group ``fiducial.steps``.

A distribution registers ``name = "module:Class"``; nothing is imported before the step is used.
A registered step that cannot be imported is reported by name when it is used, together with the
extra that brings what is missing.  Two distributions that register one name are reported too:
the answer must not depend on the order of ``sys.path``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from fiducial.core.errors import (
    EnvironmentProblem,
    FiducialError,
    InputError,
    InternalError,
    MissingExtra,
    did_you_mean,
)
from fiducial.edm.steps import Step

STEPS = "fiducial.steps"
CHAINS = "fiducial.chains"


@dataclass(frozen=True)
class Registration:
    """One entry point: its name, what it loads, and the distribution that brings it."""

    name: str
    entry: EntryPoint
    distribution: str
    version: str


def registrations(group: str) -> list[Registration]:
    """All entry points of a group, by name.

    A distribution found twice on the path counts once; two distributions under one name both
    appear.
    """
    owners: dict[int, tuple[str, str]] = {}  # a distribution's metadata is slow to parse
    found: list[Registration] = []
    for entry in entry_points(group=group):
        if entry.dist is None:
            continue
        if id(entry.dist) not in owners:
            metadata = entry.dist.metadata
            owners[id(entry.dist)] = (_normal(metadata["Name"]), metadata["Version"])
        found.append(Registration(entry.name, entry, *owners[id(entry.dist)]))
    return sorted(found, key=lambda r: (r.name, r.distribution))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def steps_by_name() -> dict[str, list[Registration]]:
    """Who registers each step; more than one registration means that the name is ambiguous."""
    known: dict[str, list[Registration]] = {}
    for registration in registrations(STEPS):
        known.setdefault(registration.name, []).append(registration)
    return known


def step_names() -> list[str]:
    """The names of all registered steps."""
    return sorted(steps_by_name())


def pick_step(name: str, known: Mapping[str, Sequence[Registration]]) -> Registration:
    """The one registration of a step; `InputError` with the nearest names where there is none."""
    found = known.get(name, ())
    if not found:
        hint = "no distribution registers a step: install fiducial-generators"
        raise InputError(
            f"no step '{name}'", hint=did_you_mean(name, list(known)) if known else hint
        )
    if len(found) > 1:
        owners = " and ".join(r.distribution for r in found)
        raise EnvironmentProblem(
            f"the step '{name}' is ambiguous", f"registered by {owners}", "uninstall one of them"
        )
    return found[0]


def load_step(name: str) -> type[Step]:
    """Import the class of a registered step."""
    return load_registration(pick_step(name, steps_by_name()))


def load_registration(registration: Registration) -> type[Step]:
    """Import what a registration names, and see that it is a step."""
    who = f"the step '{registration.name}' of {registration.distribution}"
    try:
        loaded = registration.entry.load()
    except FiducialError:
        raise
    except ImportError as error:
        extra = _extra_of(registration, error)
        if extra is None:
            raise EnvironmentProblem(
                f"{who} cannot be imported",
                f"{type(error).__name__}: {error}",
                f"reinstall {registration.distribution} {registration.version}",
            ) from error
        raise MissingExtra(
            f"what {who} needs",
            registration.distribution,
            extra,
            f"{type(error).__name__}: {error}",
        ) from error
    except Exception as error:
        raise InternalError(
            f"{who} cannot be imported",
            f"{type(error).__name__}: {error}",
            f"report it to the developers of {registration.distribution}",
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Step)):
        raise InternalError(
            f"{who} is not a step",
            f"{registration.entry.value} is {loaded!r}",
            "register a subclass of fiducial.edm.steps.Producer, Transformer, Filter or Consumer",
        )
    return loaded


def _extra_of(registration: Registration, error: ImportError) -> str | None:
    """The extra of the step's distribution that brings the module which was not found."""
    missing = _normal((error.name or "").partition(".")[0])
    distribution = registration.entry.dist
    if not missing or distribution is None:
        return None
    for requirement in distribution.requires or []:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"""extra\s*==\s*['"]([^'"]+)""", requirement)
        if name and extra and _normal(name.group()) == missing:
            return extra.group(1)
    return None
