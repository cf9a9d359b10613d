"""What an overlay remembers: the stack it stands on, and the working copies laid over it.

``overlay.json`` at the root of an overlay. An overlay belongs to exactly one stack, named by the
digest of its manifest; where another one lies at that place, the overlay is refused until it is
made anew. docs/formats/overlay.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pydantic

from fiducial.stack.errors import InputError, did_you_mean, from_os_error
from fiducial.stack.files import sha256_file
from fiducial.stack.manifest import NAME as MANIFEST
from fiducial.stack.manifest import Sha256
from fiducial.stack.setup_scripts import marker_of

NAME = "overlay.json"
DEFAULT = Path(".fiducial-dev")


class _Record(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class WorkingCopy(_Record):
    """A component's folder; ``metadata_sha256`` is of the pyproject.toml that was installed."""

    name: str
    version: str
    path: str
    metadata_sha256: Sha256


class Stack(_Record):
    """The stack below: as it was named, where that led, and what it was."""

    id: str
    named: str
    prefix: str
    manifest_sha256: Sha256
    lock_sha256: Sha256


class Overlay(_Record):
    """The whole record; working copies are sorted by name."""

    format: Literal[1] = 1
    stack: Stack
    copies: tuple[WorkingCopy, ...]

    @property
    def label(self) -> str:
        """What goes into the provenance of files made here, in place of the stack's id."""
        names = [copy.name.removeprefix("fiducial-") for copy in self.copies]
        return "+".join([self.stack.id, *names])

    def without(self, names: Iterable[str]) -> tuple[WorkingCopy, ...]:
        """The working copies but for ``names`` ("edm" or "fiducial-edm")."""
        known = {copy.name: copy for copy in self.copies}
        gone = set()
        for name in names:
            full = name if name in known else f"fiducial-{name}"
            if full not in known:
                raise InputError(
                    f"no working copy of '{name}' here", None, did_you_mean(full, known)
                )
            gone.add(full)
        return tuple(copy for copy in self.copies if copy.name not in gone)


def read_overlay(root: Path) -> Overlay:
    """The record of the overlay at ``root``."""
    path = root / NAME
    try:
        return Overlay.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"there is no overlay at {root}", f"no {NAME}",
            "make one with: fiducial dev use PATH, or name it with --overlay",
        ) from None  # fmt: skip
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{path} cannot be read", f"{where}: {first['msg']}",
            f"remove {root} and use fiducial dev use anew",
        ) from None  # fmt: skip


def moved(stack: Stack) -> str | None:
    """Why the stack is not the one that the overlay was made on; None where it is."""
    named, prefix = Path(stack.named), Path(stack.prefix)
    if not (prefix / marker_of(stack.id)).is_file() or not (prefix / MANIFEST).is_file():
        return f"{prefix} does not hold {stack.id} any more"
    if sha256_file(prefix / MANIFEST) != stack.manifest_sha256:
        return f"the manifest of {prefix} is not that of {stack.id} any more"
    if not (named / marker_of(stack.id)).is_file():
        return f"{named} has moved on to {named.resolve().name}"
    return None
