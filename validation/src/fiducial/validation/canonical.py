"""One byte form for every JSON that is hashed: sorted keys, a line each for two levels, no NaN."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """The bytes of a JSON document; equal values give equal bytes."""
    return _lines(value, 2).encode() + b"\n"


def _lines(value: Any, levels: int) -> str:
    if levels == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    inner = [f"{json.dumps(key)}: {_lines(value[key], levels - 1)}" for key in sorted(value)]
    return "{\n" + ",\n".join(inner) + "\n}"


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()
