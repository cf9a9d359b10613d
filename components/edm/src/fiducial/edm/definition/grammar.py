"""The grammar of a member, as podio has it.

::

    member      = type  name  [ "{" default "}" ]  [ "[" unit "]" ]  [ "//" description ]
    type        = scalar | namespace "::" Name | "std::array<" type "," length ">"
    scalar      = bool | [u]int{8,16,32,64}_t | int | unsigned | float | double

A scalar may have std:: before it. Default and unit may change places. ``char``, ``short``,
``long`` and ``long long`` are refused, since their width depends on the platform.
"""

from __future__ import annotations

import re

from fiducial.edm.definition.model import Member, TypeName

__all__ = ["SCALARS", "parse_member", "parse_type"]

#: The scalar types, and numpy's names for them.
SCALARS = {
    "bool": "bool",
    "int8_t": "int8",
    "int16_t": "int16",
    "int32_t": "int32",
    "int64_t": "int64",
    "uint8_t": "uint8",
    "uint16_t": "uint16",
    "uint32_t": "uint32",
    "uint64_t": "uint64",
    "float": "float32",
    "double": "float64",
}

_SYNONYMS = {"int": "int32_t", "unsigned": "uint32_t", "unsigned int": "uint32_t"}
_PLATFORM = re.compile(r"(unsigned |signed )?(char|short|long|long long)( int)?")
_NAME = r"[A-Za-z_]\w*"
_TYPE = re.compile(rf"(?:{_NAME}::)*{_NAME}")
_ARRAY = re.compile(r"std::array\s*<\s*(?P<element>[\w: ]+?)\s*,\s*(?P<length>\d+)\s*>")
_MEMBER = re.compile(
    rf"(?P<type>std::array\s*<[^>]*>|unsigned\s+int|(?:un)?signed\s+\w+(?:\s+long)?"
    rf"|long\s+long|[\w:]+)"
    rf"\s+(?P<name>{_NAME})"
    r"(?P<rest>(?:\s*(?:\[[^\]]*\]|\{[^}]*\}))*)"
    r"\s*(?://(?P<description>.*))?",
    re.DOTALL,
)
_PART = re.compile(r"\[([^\]]*)\]|\{([^}]*)\}")


def parse_type(text: str) -> TypeName:
    """A type by its text; ValueError tells what is wrong with it."""
    text = " ".join(text.split())
    if array := _ARRAY.fullmatch(text):
        element = parse_type(array["element"])
        if element.length is not None:
            raise ValueError("an array of arrays is not supported")
        if not 0 < (length := int(array["length"])) <= 4096:
            raise ValueError(f"an array of {length} elements (1 to 4096 are allowed)")
        return TypeName(element.name, length)
    bare = text.removeprefix("std::")
    bare = _SYNONYMS.get(bare, bare)
    if bare in SCALARS:
        return TypeName(bare)
    if _PLATFORM.fullmatch(bare):
        raise ValueError(
            f"the width of {text!r} depends on the platform: write int32_t, int64_t, …"
        )
    if text.startswith("std::"):
        raise ValueError(f"{text!r} is neither a scalar nor std::array<type, length>")
    if not _TYPE.fullmatch(text):
        raise ValueError(f"{text!r} is not a type")
    return TypeName(text)


def parse_member(text: str, line: int = 0) -> Member:
    """A member by its text; ValueError tells what is wrong with it."""
    match = _MEMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not 'type name {{default}} [unit] // description'")
    unit = default = None
    for unit_text, default_text in _PART.findall(match["rest"]):
        if default_text:
            if default is not None:
                raise ValueError(f"{match['name']!r} has two defaults")
            default = default_text.strip()
        else:
            if unit is not None:
                raise ValueError(f"{match['name']!r} has two units")
            unit = unit_text.strip()
    return Member(
        parse_type(match["type"]),
        match["name"],
        unit or None,
        default,
        (match["description"] or "").strip(),
        line,
    )
