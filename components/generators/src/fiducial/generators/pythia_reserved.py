"""Settings of Pythia that a chain may not touch, each with the reason.

They are refused because they would break a promise of the step: an event is a function of the
run's seed and its number alone, its cross-section is accounted for event by event, nothing but
the chain's own text decides what is generated, and Pythia prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["reserved_key", "reserved_value"]

_SEED = "every event is seeded from the run's seed and its number"
_COUNT = "how many events are made is the run's business"
_PRINT = "the step keeps Pythia off the terminal"
_FILE = "what is generated must follow from the chain's own text"
_HOOK = "it needs C++ hooks that this step does not install"
_STATE = "it carries information from one event to the next"
_WORKERS = "a run's workers are the framework's business"
_ACCOUNT = "its cross-section cannot be accounted for event by event"

_KEYS: tuple[tuple[str, str], ...] = (
    (r"random:", _SEED),
    (r"main:", _COUNT),
    (r"print:|next:|stat:|init:show", _PRINT),
    (r"parallelism:", _WORKERS),
    (r"init:plugins$|include$|xmlpath$|vincia:meplugin$", _FILE),
    (r"beams:(lhef|newlhef|readlhef|nskiplhef|strictlhef|set\w+fromlhef)", _FILE),
    (r"slha:file$|\w+:\w*initfile$|\w+:externalnucleusfile$|init:reuse", _FILE),
    (r"alpgen:|jetmatching:|merging:|powheg:", _HOOK),
    (r"beams:allow(variableenergy|idaswitch)$", _STATE),
)


_EMPTY = "Pythia would leave its event record empty"


def _on(value: str) -> bool:
    return value == "on"


def _off(value: str) -> bool:
    return value == "off"


_VALUES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    (r"beams:frametype$", lambda value: value in ("4", "5"), _FILE),
    (r"beams:id[ab]$", lambda value: abs(int(value)) > 10**9, _ACCOUNT),
    (r"heavyion:mode$", lambda value: value == "2", _ACCOUNT),
    (r"secondhard:generate$", _on, _ACCOUNT),
    (r"(processlevel|partonlevel):all$", _off, _EMPTY),
    (r"phasespace:increasemaximum$", _on, _STATE),
    (r"\w+:\w*reuseinit$", lambda value: value != "0", _FILE),
)


def reserved_key(key: str) -> str | None:
    """Why a setting is refused whatever its value, or None."""
    return next((why for pattern, why in _KEYS if re.match(pattern, key.lower())), None)


def reserved_value(key: str, value: str) -> str | None:
    """Why this value of a setting is refused, or None; ``value`` in the canonical spelling."""
    for pattern, applies, why in _VALUES:
        if re.match(pattern, key.lower()) and applies(value):
            return why
    return None
