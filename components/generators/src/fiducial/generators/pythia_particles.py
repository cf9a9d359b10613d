"""Lines that change particles: ``25:m0 = 125.2``, ``23:onIfAny = 13``, ``23:4:bRatio = 0.1``.

Order matters among them (``23:onMode = off`` before ``23:onIfAny = 13``) and most may be given
again; the plain properties (mass, width, lifetime…) may not. Decay products may be any species
that Pythia knows, particle or antiparticle. Pythia 8.3 manual, "Particle Data Scheme".
"""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.core.errors import InputError, did_you_mean
from fiducial.generators.pythia_database import Database, Species
from fiducial.generators.pythia_values import as_flag, as_float, as_int

__all__ = ["CheckedLine", "check_particle_line", "check_species"]

_FLAGS = ("tauCalc", "isResonance", "mayDecay", "doExternalDecay", "isVisible", "doForceWidth")
_POSITIVE = ("m0", "mWidth", "mMin", "mMax", "tau0")
_INTEGERS = {"spinType": (0, 20), "chargeType": (-30, 30), "colType": (-3, 3)}
_NAMES = ("name", "antiName", "names")
_FIELDS = ("name", "antiName", *_INTEGERS, *_POSITIVE)
_MATCHES = tuple(
    f"{switch}If{rule}"
    for switch in ("on", "off", "onPos", "onNeg")
    for rule in ("Any", "All", "Match")
)
_PROPERTIES = (
    *_FLAGS, *_POSITIVE, *_INTEGERS, *_NAMES, *_MATCHES,
    "varWidth", "all", "new", "onMode", "rescaleBR", "addChannel", "oneChannel",
)  # fmt: skip
_CHANNEL_PROPERTIES = ("onMode", "bRatio", "meMode", "products", "all")
_MAX_PRODUCTS = 8


@dataclass(frozen=True)
class CheckedLine:
    """A line that passed: key and value in their canonical spelling, and whether the key may
    be given only once."""

    key: str
    value: str
    once: bool


def check_species(pdg: int, database: Database, name: str) -> None:
    """Refuse a PDG code that Pythia does not know, for the setting ``name``."""
    species = database.species.get(abs(pdg))
    if species is None:
        raise InputError(f"{name} = {pdg}: no such particle", None, _closest(database, abs(pdg)))
    if pdg < 0 and not species.has_anti:
        raise InputError(
            f"{name} = {pdg}: {species.name} is its own antiparticle", None, "drop '-'"
        )


def check_particle_line(
    key: str, value: str, database: Database, new_species: set[int]
) -> CheckedLine:
    """One line about a particle; ``new_species`` grows where the line defines one."""
    code, *middle, given = key.split(":")
    pdg = int(code)
    prop = _spelled(given, _CHANNEL_PROPERTIES if middle else _PROPERTIES, key)
    species = database.species.get(pdg)
    if prop == "new" and pdg > 0:
        new_species.add(pdg)
    elif species is None and pdg not in new_species:
        raise InputError(f"{key}: Pythia knows no particle {pdg}", None, _closest(database, pdg))
    if not middle:
        name = f"{pdg}:{prop}"
        once = prop not in (*_MATCHES, "addChannel", "oneChannel", "onMode", "rescaleBR")
        return CheckedLine(name, _property(name, prop, value, database), once)
    name = f"{pdg}:{_channel(key, middle[0], species, pdg in new_species)}:{prop}"
    return CheckedLine(name, _channel_property(name, prop, value, database), once=True)


def _spelled(given: str, choices: tuple[str, ...], key: str) -> str:
    for choice in choices:
        if choice.lower() == given.lower():
            return choice
    raise InputError(
        f"{key}: unknown particle property {given}", None, did_you_mean(given, choices)
    )


def _channel(key: str, text: str, species: Species | None, is_new: bool) -> int:
    channel = as_int(f"{key}: decay channel", text)
    if species is not None and not is_new and channel >= species.channels:
        raise InputError(
            f"{key}: no decay channel {channel}",
            f"{species.name} has {species.channels}, counted from 0",
            "look them up in Pythia's particle data",
        )
    return channel


def _property(name: str, prop: str, value: str, database: Database) -> str:
    if prop in (*_FLAGS, "varWidth"):
        return as_flag(name, value)
    if prop in _POSITIVE or prop == "rescaleBR":
        return repr(_not_negative(name, value))
    if prop in _INTEGERS:
        low, high = _INTEGERS[prop]
        return str(_integer(name, value, low, high))
    if prop == "onMode":
        return _on_mode(name, value)
    if prop in _MATCHES:
        return _products(name, value.split(), database)
    if prop in ("addChannel", "oneChannel"):
        return _whole_channel(name, value, database)
    if prop in ("all", "new"):
        return _fields(name, value)
    return _words(name, value, 2 if prop == "names" else 1)


def _channel_property(name: str, prop: str, value: str, database: Database) -> str:
    if prop == "onMode":
        return _on_mode(name, value)
    if prop == "bRatio":
        return repr(_not_negative(name, value))
    if prop == "meMode":
        return str(_integer(name, value, 0, 10_000))
    if prop == "products":
        return _products(name, value.split(), database)
    return _whole_channel(name, value, database)


def _not_negative(name: str, text: str) -> float:
    number = as_float(name, text)
    if number < 0.0:
        raise InputError(f"{name} = {text}: negative", None, "take 0 or more")
    return number


def _integer(name: str, text: str, low: int, high: int) -> int:
    number = as_int(name, text)
    if not low <= number <= high:
        raise InputError(f"{name} = {number} is out of range", None, f"take {low} to {high}")
    return number


def _on_mode(name: str, text: str) -> str:
    return text if text in ("0", "1", "2", "3") else as_flag(name, text)


def _products(name: str, codes: list[str], database: Database) -> str:
    if not 1 <= len(codes) <= _MAX_PRODUCTS:
        raise InputError(f"{name}: {len(codes)} products", None, f"list 1 to {_MAX_PRODUCTS}")
    products = [as_int(name, code) for code in codes]
    for product in products:
        check_species(product, database, name)
    return " ".join(map(str, products))


def _whole_channel(name: str, value: str, database: Database) -> str:
    parts = value.split()
    if len(parts) < 4:
        raise InputError(
            f"{name} = {value}: incomplete", None, "write onMode bRatio meMode product product…"
        )
    mode = str(_integer(f"{name}: onMode", parts[0], 0, 3))
    ratio = repr(_not_negative(f"{name}: bRatio", parts[1]))
    matrix_element = str(_integer(f"{name}: meMode", parts[2], 0, 10_000))
    return " ".join((mode, ratio, matrix_element, _products(name, parts[3:], database)))


def _fields(name: str, value: str) -> str:
    parts = value.split()
    if len(parts) > len(_FIELDS):
        raise InputError(f"{name}: {len(parts)} values", None, f"in order: {' '.join(_FIELDS)}")
    for prop, part in zip(_FIELDS, parts, strict=False):
        if prop in _INTEGERS:
            _integer(f"{name}: {prop}", part, *_INTEGERS[prop])
        elif prop in _POSITIVE:
            _not_negative(f"{name}: {prop}", part)
    return " ".join(parts)


def _words(name: str, value: str, at_most: int) -> str:
    words = value.split()
    if len(words) > at_most:
        raise InputError(f"{name} = {value}: more than {at_most} words", None, "use no blanks")
    return " ".join(words)


def _closest(database: Database, pdg: int) -> str:
    near = [f"{s.pdg} ({s.name})" for s in database.nearest_species(pdg)]
    return f"did you mean {' or '.join(near)}?"
