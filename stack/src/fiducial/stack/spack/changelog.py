"""The section of a version in a CHANGELOG.md, and the day it was released."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

UNRELEASED = "unreleased"


@dataclass(frozen=True)
class Section:
    """One ``## VERSION (WHEN)`` section: its heading, and whether it says anything."""

    heading: str
    when: str
    empty: bool


def find_section(text: str, version: str) -> Section | None:
    """The section of ``version``, or None."""
    found = re.search(rf"^## {re.escape(version)} \(([^)\n]*)\)[ \t]*$", text, re.MULTILINE)
    if found is None:
        return None
    body = text[found.end() :].split("\n## ", 1)[0]
    return Section(found[0], found[1], not body.strip())


def date_section(text: str, section: Section, day: datetime.date) -> str:
    """The text with the section dated."""
    heading = section.heading.replace(f"({section.when})", f"({day.isoformat()})")
    return text.replace(section.heading, heading, 1)
