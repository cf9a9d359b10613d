"""What a check found: a change of an interface, who uses what changed, and whether that breaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.overlay.usage import Use


@dataclass(frozen=True)
class Place:
    """Where a dependent uses something. ``by_name``: on an object whose type is not written."""

    package: str
    path: Path
    line: int
    why: str | None = None
    by_name: bool = False

    def __str__(self) -> str:
        text = f"{self.package} {self.path}:{self.line}"
        if self.why:
            text += f" ({self.why})"
        return text + (" (by its name)" if self.by_name else "")

    def to_dict(self) -> dict[str, Any]:
        return {
            "package": self.package, "path": str(self.path), "line": self.line, "why": self.why,
            "by_name": self.by_name,
        }  # fmt: skip


def place(use: Use, why: str | None = None) -> Place:
    """Where ``use`` is."""
    return Place(use.package, use.path, use.line, why, use.member)


@dataclass(frozen=True)
class Finding:
    """A change. ``check`` is "range", "names" or "schema"; only what is ``broken`` counts."""

    check: str
    component: str
    name: str
    what: str
    broken: bool
    places: tuple[Place, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "check": self.check, "component": self.component, "name": self.name,
            "what": self.what, "broken": self.broken,
            "places": [item.to_dict() for item in self.places],
        }  # fmt: skip
