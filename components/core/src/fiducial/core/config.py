"""Configuration: YAML read into pydantic models, with every mistake of a file at once.

Each mistake reads ``file:line: dotted.key: problem (value): did you mean X?``. Unknown keys
and wrong choices come with the nearest valid names.

Where only a part of a file has a model known beforehand (a chain's ``with:`` is validated by
the step it names), read the document once and validate its parts by location::

    document = read(path)
    chain = document.validate(Chain)
    settings = document.validate(Step, ("steps", 0, "with"))

The dialect of YAML is described in :mod:`fiducial.core.yaml_lines`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from fiducial.core.config_mistakes import explain
from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.core.yaml_lines import CORE_SCHEMA, Location, MappedYaml, dotted, read_yaml

__all__ = ["Document", "dump", "load", "parse", "parse_document", "read", "to_yaml", "validate"]

M = TypeVar("M", bound=BaseModel)


class Document(MappedYaml):
    """One YAML document: ``name``, ``data`` and the line of every key."""

    def at(self, location: Location) -> Any:
        """The value at a location."""
        value = self.data
        for part in location:
            value = value[part]
        return value

    def validate(self, model: type[M], at: Location = ()) -> M:
        """The part at ``at`` as a model; raises :class:`Mistakes` with all that is wrong."""
        value = self.at(at)
        if not isinstance(value, Mapping):
            found = "nothing" if value is None else f"a {type(value).__name__}"
            raise Mistakes(
                [Mistake(self.where(at), f"expected keys and values, found {found}")], self.name
            )
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise Mistakes(explain(error, model, self, at), self.name) from None

    def mistake(self, location: Location, problem: str, hint: str | None = None) -> Mistake:
        """A mistake found by other means, at a place of this document."""
        return Mistake(self.where(location), problem, hint)


def parse_document(text: str, name: str = "<string>") -> Document:
    """The document in a text; ``name`` stands for the file in messages."""
    mapped = read_yaml(text, name)
    return Document(mapped.name, mapped.data, mapped.lines)


def read(path: str | os.PathLike[str]) -> Document:
    """The document in a file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not a text file", f"byte {error.start} is not UTF-8", "is it YAML?"
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot read {path}", reason, "check the path") from None
    return parse_document(text, str(path))


def load(path: str | os.PathLike[str], model: type[M]) -> M:
    """The configuration in a file, validated."""
    return read(path).validate(model)


def parse(text: str, model: type[M], name: str = "<string>") -> M:
    """The configuration in a text, validated; ``name`` stands for the file in messages."""
    return parse_document(text, name).validate(model)


def validate(data: Mapping[str, Any], model: type[M], name: str = "<data>") -> M:
    """The configuration in plain data (no lines), validated with the same messages."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Mistakes(explain(error, model, _Unlined(name, data), ()), name) from None


class _Unlined(MappedYaml):
    def where(self, location: Location) -> str:
        return f"{self.name}: {dotted(location)}" if location else self.name


def dump(model: BaseModel) -> dict[str, Any]:
    """A model as plain data that JSON and YAML can hold, under the keys of its file form."""
    return model.model_dump(mode="json", by_alias=True)


def to_yaml(model: BaseModel) -> str:
    """A model as YAML that :func:`parse` reads back, keys in the model's order.

    Texts that YAML 1.1 or 1.2 would take for another type are quoted.
    """
    return yaml.dump(
        dump(model), Dumper=_QuotingDumper, sort_keys=False, allow_unicode=True, width=100
    )


class _QuotingDumper(yaml.SafeDumper):
    """Quotes what the core schema reads as another type, beside what YAML 1.1 does."""


for _rule in CORE_SCHEMA:
    _QuotingDumper.add_implicit_resolver(*_rule)
