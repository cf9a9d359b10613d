"""Values of Pythia's settings: from a user's text to one spelling, or an error that says why not.

flag   on | off (also yes/no, true/false, ok, 1/0)     fvec   a list of flags
mode   an integer within the setting's limits          mvec   a list of integers
parm   a finite number within the limits               pvec   a list of numbers
word   a text without blanks, or in quotes             wvec   a list of texts

A list is ``{a, b}`` or ``a, b``. Units are Pythia's and are not written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeVar

from fiducial.core.errors import InputError
from fiducial.generators.pythia_database import Setting

__all__ = ["as_flag", "as_float", "as_int", "canonical_value"]

N = TypeVar("N", int, float)

_ON = ("on", "yes", "true", "ok", "1")
_OFF = ("off", "no", "false", "0")


def as_flag(name: str, text: str) -> str:
    """``on`` or ``off``."""
    if text.lower() in _ON:
        return "on"
    if text.lower() in _OFF:
        return "off"
    raise InputError(f"{name} = {text}: neither on nor off", None, "write on or off")


def as_int(name: str, text: str) -> int:
    """An integer, without blanks, point or exponent."""
    if not re.fullmatch(r"[+-]?\d+", text):
        raise InputError(f"{name} = {text}: not an integer", None, "write a whole number")
    return int(text)


def as_float(name: str, text: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise InputError(f"{name} = {text}: not a number", None, "write a number, without a unit")
    return number


def canonical_value(setting: Setting, text: str) -> str:
    """The value of a setting in one spelling; raises :class:`InputError`."""
    scalar = _SCALARS[setting.kind[0]]
    if not setting.kind.endswith("vec"):
        return scalar(setting, text)
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise InputError(f"{setting.name} = {text}: half a brace", None, "write {a, b, c}")
    inner = inner.removeprefix("{").removesuffix("}").strip()
    parts = [part.strip() for part in inner.split(",")] if inner else []
    return "{" + ", ".join(scalar(setting, part) for part in parts) + "}"


def _flag(setting: Setting, text: str) -> str:
    return as_flag(setting.name, text)


def _mode(setting: Setting, text: str) -> str:
    return str(_within(setting, as_int(setting.name, text)))


def _parm(setting: Setting, text: str) -> str:
    return repr(_within(setting, as_float(setting.name, text)))


def _word(setting: Setting, text: str) -> str:
    quoted = re.fullmatch(r"\"[^\"]*\"|'[^']*'|\{[^{}]*\}", text)
    if not quoted and (not text or re.search(r"\s", text)) and setting.kind == "word":
        raise InputError(f"{setting.name} = {text}: blanks in a word", None, "put it in quotes")
    return text


_SCALARS: dict[str, Callable[[Setting, str], str]] = {
    "f": _flag,
    "m": _mode,
    "p": _parm,
    "w": _word,
}


def _within(setting: Setting, number: N) -> N:
    low, high = setting.minimum, setting.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise InputError(
            f"{setting.name} = {number} is out of range",
            "Pythia would clip it or ignore the line",
            f"take {setting.range()}",
        )
    return number
