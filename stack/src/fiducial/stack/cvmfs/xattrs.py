"""Extended attributes as a catalog holds them: one blob a file.

Byte 1 (version), a byte for how many, then for each a byte for the length of the key, a byte
for that of the value, the key and the value. So there are at most 255, none longer than that.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = 1
_MOST = 255


def pack(attributes: Mapping[bytes, bytes]) -> bytes | None:
    """The blob, in the order of the keys; None for none. Raises ValueError where it has no room."""
    if not attributes:
        return None
    if len(attributes) > _MOST:
        raise ValueError(f"{len(attributes)} extended attributes: a catalog holds {_MOST} a file")
    parts = [bytes([VERSION, len(attributes)])]
    for key, value in sorted(attributes.items()):
        if not key or len(key) > _MOST or len(value) > _MOST:
            name = key.decode("utf-8", "backslashreplace")
            raise ValueError(f"extended attribute {name}: key or value has not 1 to {_MOST} bytes")
        parts.append(bytes([len(key), len(value)]) + key + value)
    return b"".join(parts)


def unpack(blob: bytes | None) -> dict[bytes, bytes]:
    """The attributes of a blob. Raises ValueError where it is malformed."""
    if blob is None:
        return {}
    if len(blob) < 2 or blob[0] != VERSION:
        raise ValueError("extended attributes of an unknown version")
    found: dict[bytes, bytes] = {}
    place = 2
    for _ in range(blob[1]):
        if place + 2 > len(blob):
            raise ValueError("extended attributes are cut off")
        key_end = place + 2 + blob[place]
        end = key_end + blob[place + 1]
        if end > len(blob):
            raise ValueError("extended attributes are cut off")
        found[blob[place + 2 : key_end]] = blob[key_end:end]
        place = end
    if place != len(blob):
        raise ValueError("bytes follow the extended attributes")
    return found
