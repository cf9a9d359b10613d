"""Pythia's settings, read strictly: what Pythia would guess, clip or ignore is a mistake here.

Pythia reads ``HiggsSM:ffbar2HZ = of`` as off, ``Beams:idA = 11.5`` as 11, ``91 GeV`` as 91, a
particle mass of ``x`` as 0, and goes on. Here each line is checked against Pythia's own
database (name, type, range, number of values, species, decay channel) before anything runs,
and comes out in one spelling: ``Beams:eCM = 240.0``.

Grammar of a line, Pythia's own: ``Group:name = value``, ``pdg:property = value`` or
``pdg:channel:property = value``; the equals sign may be left out; what follows ``!`` is a
comment. Pythia 8.3 manual, "Settings Scheme" and "Particle Data Scheme".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fiducial.core.errors import InputError, did_you_mean
from fiducial.generators.pythia_database import Database
from fiducial.generators.pythia_particles import CheckedLine, check_particle_line, check_species
from fiducial.generators.pythia_reserved import reserved_key, reserved_value
from fiducial.generators.pythia_values import canonical_value

__all__ = ["LineChecker", "as_line", "split_line"]

_LINE = re.compile(r"([^\s=]+)\s*(?:=\s*|\s)(\S.*)")
_NAME = re.compile(r"\d+(:\w+){1,2}|[A-Za-z]\w*(:\S+)?")


def as_line(key: str, value: object) -> str:
    """One line from a YAML key and value: booleans become on and off, lists ``{a, b}``."""
    if isinstance(value, bool):
        return f"{key} = {'on' if value else 'off'}"
    if isinstance(value, list | tuple):
        parts = [str(part) for part in value]
        of_particle = key[:1].isdigit()  # product lists stand without braces
        return f"{key} = " + (" ".join(parts) if of_particle else "{" + ", ".join(parts) + "}")
    return f"{key} = {value}"


def split_line(line: str) -> tuple[str, str]:
    """Key and value of a line, its comment dropped; raises :class:`InputError`."""
    text = line.partition("!")[0].strip()
    found = _LINE.fullmatch(text)
    if not found or not _NAME.fullmatch(found.group(1)):
        raise InputError(
            f"not a setting: {line.strip()!r}", "one 'Group:name = value' a line is expected"
        )
    key, value = found.groups()
    if re.match(r"force\s*=", value):
        raise InputError(f"{key}: 'force=' steps over Pythia's limits", None, "write '='")
    return key, value.strip()


@dataclass
class LineChecker:
    """Checks the lines of one configuration, in their order.

    It remembers what the lines before have set, so that a setting given twice is refused and a
    species that a line defines (``pdg:new``) is known to the lines after it.
    """

    database: Database
    _set_before: dict[str, str] = field(default_factory=dict)
    _new_species: set[int] = field(default_factory=set)

    def __call__(self, line: str) -> str:
        """The line in Fiducial's spelling; raises :class:`InputError` with what is wrong."""
        key, value = split_line(line)
        if key[0].isdigit():
            checked = check_particle_line(key, value, self.database, self._new_species)
        else:
            checked = self._setting(key, value)
        if checked.once:
            before = self._set_before.setdefault(checked.key.lower(), checked.value)
            if before is not checked.value:
                raise InputError(
                    f"{checked.key} = {checked.value} is set a second time",
                    f"before: {before}",
                    "keep one of the two",
                )
        return f"{checked.key} = {checked.value}"

    def _setting(self, key: str, value: str) -> CheckedLine:
        why = reserved_key(key)
        if why:
            raise InputError(f"{key} is not for a chain to set", why, "leave it out")
        setting = self.database.settings.get(key.lower())
        if setting is None:
            raise InputError(
                f"unknown Pythia setting {key}", None, did_you_mean(key, self.database.names)
            )
        canonical = canonical_value(setting, value)
        why = reserved_value(key, canonical)
        if why:
            raise InputError(f"{setting.name} = {canonical} is not for a chain", why, "change it")
        if setting.name in ("Beams:idA", "Beams:idB"):
            check_species(int(canonical), self.database, setting.name)
        return CheckedLine(setting.name, canonical, once=True)
