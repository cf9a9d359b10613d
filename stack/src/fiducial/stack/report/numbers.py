"""Numbers for people: a value with its error, a probability, a size, a time.

Typography only; nothing is computed from what is written here. Untrusted input may hold any
JSON value where a number was expected: everything that is no finite number becomes a dash.
"""

from __future__ import annotations

import math
from typing import Any

NONE = "–"
_TINY = 1e-300
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any) -> float | None:
    """``value`` if it is a finite number (a bool is none), else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def measured(estimate: Any, error: Any) -> str:
    """``125.104 ± 0.052``: the error to two digits, the estimate to the same place."""
    x, dx = number(estimate), number(error)
    if x is None:
        return NONE
    if dx is None or dx < max(_TINY, abs(x) * 1e-12):
        return plain(x)
    exponent = math.floor(math.log10(max(abs(x), dx)))
    if exponent >= 6 or exponent <= -5:
        shift = 10.0**exponent
        return f"({measured(x / shift, dx / shift)}) × 10{_power(exponent)}"
    places = max(0, 1 - math.floor(math.log10(dx)))
    return f"{x:.{places}f} ± {dx:.{places}f}".replace("-", "−")


def plain(value: Any) -> str:
    """Up to six significant digits."""
    x = number(value)
    if x is None:
        return NONE
    text = f"{x:.6g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa} × 10{_power(int(exponent))}"
    return text.replace("-", "−")


def probability(value: Any) -> str:
    """``0.42``, ``0.0031``, ``2.1 × 10⁻⁷``, ``1``."""
    p = number(value)
    if p is None or not 0 <= p <= 1:
        return NONE
    if p == 0:
        return "0"
    if p < _TINY:
        return f"< 10{_power(round(math.log10(_TINY)))}"
    if p >= 0.995:
        return f"{p:.3g}"
    if p >= 0.001:
        return f"{p:.2g}"
    exponent = math.floor(math.log10(p))
    return f"{p / 10.0**exponent:.1f} × 10{_power(exponent)}"


def signed(value: Any) -> str:
    """A pull: ``+0.31``, ``−2.10``."""
    x = number(value)
    return NONE if x is None else f"{x:+.2f}".replace("-", "−")


def count(value: Any) -> str:
    """``20 000`` with thin spaces."""
    x = number(value)
    return NONE if x is None else f"{round(x):,}".replace(",", "\u202f")


def size(value: Any) -> str:
    """Bytes: ``831 MB``."""
    x = number(value)
    if x is None:
        return NONE
    for unit in ("B", "kB", "MB", "GB"):
        if abs(x) < 1000:
            return f"{x:.0f} {unit}" if unit == "B" or x >= 100 else f"{x:.1f} {unit}"
        x /= 1000
    return f"{x:.1f} TB"


def seconds(value: Any) -> str:
    """A time: ``0.42 s``, ``12.3 s``, ``3 min 05 s``."""
    x = number(value)
    if x is None:
        return NONE
    if x < 1:
        return f"{x:.2f} s"
    if x < 60:
        return f"{x:.1f} s"
    minutes, rest = divmod(round(x), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def percent(value: Any) -> str:
    """A fraction in percent: ``4.1 %``."""
    x = number(value)
    return NONE if x is None else f"{100 * x:.1f} %"


def alpha(value: Any) -> str:
    """A false-alarm rate: ``0.1 %``."""
    x = number(value)
    return NONE if x is None else f"{100 * x:g} %"


def _power(exponent: int) -> str:
    return str(exponent).translate(_SUPERSCRIPTS)
