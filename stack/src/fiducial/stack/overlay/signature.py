"""Whether a call fits a signature, both read from source.

A call that fitted the old signature and does not fit the new one is broken. So is one whose
positional argument would reach another parameter than before, where that parameter still is
there; a parameter that merely changed its name takes positional arguments as before.
"""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.stack.overlay.usage import Call


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``kind`` is "positional", "both", "keyword", "*" or "**"."""

    name: str
    kind: str
    required: bool


Signature = tuple[Parameter, ...]


def misfit(call: Call, old: Signature, new: Signature) -> str | None:
    """Why a ``call`` that was made for ``old`` does not fit ``new``; None where it fits."""
    if _wrong(call, old) is not None:
        return None  # it never fitted: it is not a call of this
    reason = _wrong(call, new)
    if reason is not None:
        return reason
    before, after = _positional(old), _positional(new)
    kept = {parameter.name for parameter in new}
    for index in range(min(call.positional, len(before), len(after))):
        was, now = before[index].name, after[index].name
        if was != now and was in kept:
            return f"argument {index + 1} was '{was}' and is '{now}'"
    return None


def _positional(signature: Signature) -> list[Parameter]:
    return [parameter for parameter in signature if parameter.kind in ("positional", "both")]


def _wrong(call: Call, signature: Signature) -> str | None:
    """Why ``call`` does not fit; arguments behind ``*`` and ``**`` are given the benefit."""
    positional = _positional(signature)
    kinds = {parameter.kind for parameter in signature}
    if call.positional > len(positional) and "*" not in kinds:
        return f"it takes {len(positional)} positional arguments, not {call.positional}"
    taken = {parameter.name for parameter in positional[: call.positional]}
    by_name = {parameter.name for parameter in signature if parameter.kind in ("both", "keyword")}
    for keyword in sorted(call.keywords):
        if keyword not in by_name and "**" not in kinds:
            return f"it has no parameter '{keyword}'"
        if keyword in taken and keyword in by_name:
            return f"'{keyword}' is given twice"
    if call.open:
        return None
    for parameter in signature:
        given = parameter.name in taken or parameter.name in call.keywords & by_name
        if parameter.required and not given and parameter.kind not in ("*", "**"):
            return f"'{parameter.name}' is required"
    return None
