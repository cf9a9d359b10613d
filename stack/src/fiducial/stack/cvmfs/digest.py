"""Names of objects: the digest of what is stored, its algorithm, and what kind of object it is.

An object is named by the digest of its *stored* (compressed) bytes and lies at
``data/<2 digits>/<38 digits>[-<algorithm>][<kind>]``. Every digest has 160 bits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from fiducial.stack.errors import EnvironmentProblem, InputError, did_you_mean

DIGEST_BYTES = 20
_TEXT = re.compile(r"([0-9a-f]{40})(?:-([a-z0-9]+))?")


class Algorithm(StrEnum):
    """Digest algorithms of the format; the value is the word that names carry."""

    SHA1 = "sha1"
    RIPEMD160 = "rmd160"
    SHAKE128 = "shake128"

    @property
    def code(self) -> int:
        """The number that catalogs hold in bits 8 to 10 of an entry's flags."""
        return _CODES[self]

    @classmethod
    def from_code(cls, code: int) -> Algorithm | None:
        """The algorithm of a catalog's number, None where there is none."""
        return next((algorithm for algorithm, known in _CODES.items() if known == code), None)


_CODES = {Algorithm.SHA1: 0, Algorithm.RIPEMD160: 1, Algorithm.SHAKE128: 2}


class Kind(StrEnum):
    """What an object is; the value is the letter that ends its name."""

    FILE = ""
    CHUNK = "P"
    CATALOG = "C"
    HISTORY = "H"
    CERTIFICATE = "X"
    METAINFO = "M"


class Digest(NamedTuple):
    """A digest and its algorithm."""

    raw: bytes
    algorithm: Algorithm = Algorithm.SHA1

    def __str__(self) -> str:
        return self.raw.hex() + _mark(self.algorithm)

    def path(self, kind: Kind) -> str:
        """Where the object lies below the repository."""
        text = self.raw.hex()
        return f"data/{text[:2]}/{text[2:]}{_mark(self.algorithm)}{kind.value}"


def _mark(algorithm: Algorithm) -> str:
    return "" if algorithm is Algorithm.SHA1 else f"-{algorithm.value}"


def parse_digest(text: str) -> Digest:
    """Read ``<40 hexadecimal digits>[-<algorithm>]``. Raises InputError."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InputError(
            f"'{text[:80]}' is no digest", "40 lower-case hexadecimal digits, then -rmd160 or so"
        )
    return Digest(bytes.fromhex(match[1]), parse_algorithm(match[2] or "sha1"))


def parse_algorithm(word: str) -> Algorithm:
    """The algorithm called ``word``. Raises InputError naming the nearest."""
    try:
        return Algorithm(word)
    except ValueError:
        known = [algorithm.value for algorithm in Algorithm]
        raise InputError(f"no digest algorithm '{word}'", None, did_you_mean(word, known)) from None


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _ripemd160(data: bytes) -> bytes:
    try:
        hasher: Any = hashlib.new("ripemd160", data, usedforsecurity=False)
    except ValueError as error:
        raise EnvironmentProblem(
            "RIPEMD-160 cannot be computed",
            f"this Python's OpenSSL does not have it: {error}",
            "enable OpenSSL's legacy provider, or use a repository with SHA-1",
        ) from error
    return bytes(hasher.digest())


def _shake128(data: bytes) -> bytes:
    return hashlib.shake_128(data).digest(DIGEST_BYTES)


_FUNCTIONS: dict[Algorithm, Callable[[bytes], bytes]] = {
    Algorithm.SHA1: _sha1,
    Algorithm.RIPEMD160: _ripemd160,
    Algorithm.SHAKE128: _shake128,
}


def digest_of(data: bytes, algorithm: Algorithm = Algorithm.SHA1) -> Digest:
    """The digest of ``data``."""
    return Digest(_FUNCTIONS[algorithm](data), algorithm)
