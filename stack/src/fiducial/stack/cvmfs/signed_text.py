"""The frame that manifest and whitelist share: text, ``--``, digest of the text, signature.

<lines>
--
<hexadecimal digest of the lines>
<signature of that digest, binary, to the end>
"""

from __future__ import annotations

from typing import NamedTuple

from fiducial.stack.cvmfs.digest import Digest, digest_of, parse_digest
from fiducial.stack.errors import InputError

SEPARATOR = b"--\n"
MAX_BYTES = 1 << 20
"""A larger manifest or whitelist is refused."""


class SignedText(NamedTuple):
    """A text, the digest that stands below it, and the signature of the digest."""

    text: bytes
    digest: Digest
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the signature is for: the digest as hexadecimal text."""
        return str(self.digest).encode()

    @property
    def is_whole(self) -> bool:
        """Whether the digest is that of the text."""
        return digest_of(self.text, self.digest.algorithm) == self.digest


def frame(text: bytes, digest: Digest, signature: bytes) -> bytes:
    """The file."""
    return text + SEPARATOR + str(digest).encode() + b"\n" + signature


def split(data: bytes) -> SignedText:
    """Take the file apart. Raises InputError where it has no such frame."""
    if len(data) > MAX_BYTES:
        raise InputError("it is too long", f"above {MAX_BYTES} bytes")
    text, separator, rest = data.partition(b"\n" + SEPARATOR)
    line, newline, signature = rest.partition(b"\n")
    if not separator or not newline:
        raise InputError("it is not signed", "no line -- followed by a digest and a signature")
    return SignedText(text + b"\n", parse_digest(line.decode("ascii", "replace")), signature)
