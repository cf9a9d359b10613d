"""From pydantic's errors to mistakes with a line, a dotted key and the nearest valid names."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fiducial.core.errors import FiducialError, Mistake, Mistakes, did_you_mean
from fiducial.core.yaml_lines import Location, MappedYaml, dotted

__all__ = ["explain", "field_names"]


def explain(
    error: ValidationError, model: type[BaseModel], document: MappedYaml, at: Location
) -> list[Mistake]:
    """All mistakes of a failed validation of the value at ``at``, in the order of lines."""
    grouped: dict[Location, list[Mistake]] = {}
    for detail in error.errors(include_url=False):
        location = _in_data(document, at, detail["loc"])
        for mistake in _translate(detail, model, document, location):
            grouped.setdefault(location, []).append(mistake)
    merged = [(document.line(place), _merge(found)) for place, found in grouped.items()]
    return [mistake for _, found in sorted(merged, key=lambda pair: pair[0]) for mistake in found]


def field_names(model: type[BaseModel]) -> list[str]:
    """The keys that a model takes, as a file spells them."""
    return [_key(name, info) for name, info in model.model_fields.items()]


def _key(name: str, info: Any) -> str:
    alias = info.validation_alias or info.alias
    return alias if isinstance(alias, str) else name


def _in_data(document: MappedYaml, at: Location, loc: Sequence[str | int]) -> Location:
    """The part of pydantic's location that is a place in the data, and one missing last key.

    Pydantic also names the member of a union that it tried; such parts are left out.
    """
    value: Any = document.data
    for key in at:
        value = value[key]
    here = at
    for position, part in enumerate(loc):
        in_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if in_list or (isinstance(value, Mapping) and part in value):
            value, here = value[part], (*here, part)
            continue
        last = position == len(loc) - 1 and isinstance(value, Mapping)
        if last and isinstance(part, str) and not _is_tag(part):
            here = (*here, part)
    return here


def _is_tag(part: str) -> bool:
    return "[" in part or "(" in part  # 'function-after[…]', 'list[int]'


def _translate(
    detail: Any, model: type[BaseModel], document: MappedYaml, location: Location
) -> Iterable[Mistake]:
    where = document.where(location)
    kind: str = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    value = detail["input"]
    if kind == "missing":
        parent = document.where(location[:-1]).split(": ")[0]
        where = f"{parent}: {dotted(location)}"
        return [Mistake(where, "this key is required and missing")]
    if kind == "extra_forbidden":
        taken = _names_at(model, detail["loc"][:-1], document, location[:-1])
        return [
            Mistake(where, f"unknown key ({_show(value)})", did_you_mean(str(location[-1]), taken))
        ]
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'((?:[^'\\]|\\.)*)'", context["expected"])
        hint = did_you_mean(str(value), choices) if choices else f"choose {context['expected']}"
        return [Mistake(where, f"not one of the choices ({_show(value)})", hint)]
    if kind == "union_tag_invalid":
        key = context["discriminator"].strip("'")
        choices = re.findall(r"'([^']*)'", context["expected_tags"])
        place = document.where((*location, key))
        return [
            Mistake(
                place,
                f"not one of the choices ({_show(context['tag'])})",
                did_you_mean(str(context["tag"]), choices),
            )
        ]
    if kind == "union_tag_not_found":
        key = context["discriminator"].strip("'")
        return [Mistake(where, f"the key {key} is required and missing")]
    cause = context.get("error")
    if isinstance(cause, Mistakes):
        return [_below(where, mistake) for mistake in cause.mistakes]
    if isinstance(cause, FiducialError):
        text = f"{cause.problem} ({cause.why})" if cause.why else cause.problem
        return [Mistake(where, text, cause.hint)]
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message[:1].lower() + message[1:]
    shown = "" if isinstance(value, Mapping | list) else f" ({_show(value)})"
    return [Mistake(where, message + shown)]


def _below(where: str, mistake: Mistake) -> Mistake:
    return Mistake(
        f"{where}: {mistake.where}" if mistake.where else where, mistake.problem, mistake.hint
    )


def _merge(found: list[Mistake]) -> list[Mistake]:
    """Mistakes of one place, each once: the members of a union often say the same."""
    return list(dict.fromkeys(found))


def _show(value: Any) -> str:
    text = repr(value) if not isinstance(value, BaseModel) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def _names_at(
    model: type[BaseModel], loc: Sequence[str | int], document: MappedYaml, place: Location
) -> list[str]:
    """The keys that are valid at pydantic's location ``loc`` below ``model``."""
    found: list[Any] = [model]
    for part in loc:
        below = [inner for kind in found for inner in _step(kind, part)]
        if below:
            found = below
            continue
        named = [kind for kind in found if getattr(kind, "__name__", None) == part]
        tagged = [kind for kind in found if _has_tag(kind, part)]
        found = named or tagged or found
    names: dict[str, None] = {}
    for kind in found:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names.update(dict.fromkeys(field_names(kind)))
    return list(names)


def _members(annotation: Any) -> list[Any]:
    """The types that an annotation stands for, with unions opened."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [m for argument in get_args(annotation) for m in _members(argument)]
    return [annotation]


def _step(kind: Any, part: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, info in kind.model_fields.items():
            if part in (name, _key(name, info)):
                return _members(info.annotation)
        return []
    origin, arguments = get_origin(kind), get_args(kind)
    if not isinstance(origin, type) or not arguments:
        return []
    if issubclass(origin, Mapping) and isinstance(part, str):
        return _members(arguments[1])
    if issubclass(origin, tuple) and isinstance(part, int):
        index = 0 if len(arguments) == 2 and arguments[1] is Ellipsis else part
        return _members(arguments[index]) if index < len(arguments) else []
    if issubclass(origin, Sequence | set | frozenset) and isinstance(part, int):
        return _members(arguments[0])
    return []


def _has_tag(kind: Any, tag: str | int) -> bool:
    """Whether a model has a literal field with the value ``tag`` (a discriminated union)."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return False
    return any(tag in get_args(info.annotation) for info in kind.model_fields.values())
