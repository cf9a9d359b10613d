"""Whose signatures count on a build cache: said by the user, never by the cache.

Trust is given to a fingerprint, or to the keys in a file or folder. A key of which only the
fingerprint is given is taken from the cache that publishes it, and counts if it is that key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes
from fiducial.stack.keys import default_trust_path
from fiducial.stack.spack.build_cache_entries import Cache, is_fingerprint
from fiducial.stack.spack.openpgp import (
    PUBLIC_SUFFIX,
    Keyring,
    default_secret_path,
    keyring,
    public_path,
)

_ARMOUR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"


@contextmanager
def trusted_keyring(cache: Cache, trust: Sequence[str] | None) -> Iterator[Keyring]:
    """A keyring with the keys that ``trust`` names (fingerprints, files, folders).

    Without ``trust``: the user's own key and the ``*.pub.asc`` of the folder of trusted keys.
    Raises Mistakes for all that names no key. The keyring may be empty.
    """
    mistakes: list[Mistake] = []
    with keyring() as ring:
        for item in trust if trust is not None else _usual():
            try:
                _add(ring, cache, item)
            except InputError as error:
                mistakes.append(Mistake(str(item), str(error)))
        if mistakes:
            raise Mistakes(mistakes, "the trusted keys")
        yield ring


def _usual() -> list[str]:
    own = public_path(default_secret_path())
    folder = default_trust_path()
    return [str(path) for path in (own, folder) if path.exists()]


def _add(ring: Keyring, cache: Cache, item: str) -> None:
    if is_fingerprint(item):
        _add_published(ring, cache, item.replace(" ", "").upper())
        return
    path = Path(item)
    if path.is_dir():
        for key in sorted(path.glob(f"*{PUBLIC_SUFFIX}")):
            ring.add(key.read_bytes(), str(key))
        return
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        why = "it is neither a fingerprint of 40 digits, nor a file, nor a folder"
        raise InputError("names no key", why) from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}", error.strerror) from error
    if _ARMOUR in data:
        ring.add(data, item)
        return
    rows = [row.split("#")[0].strip() for row in data.decode(errors="replace").splitlines()]
    listed = [row for row in rows if row]
    if not listed or not all(is_fingerprint(row) for row in listed):
        raise InputError("holds neither a public key nor fingerprints, one a line")
    for row in listed:
        _add_published(ring, cache, row.replace(" ", "").upper())


def _add_published(ring: Keyring, cache: Cache, fingerprint: str) -> None:
    data = cache.public_key(fingerprint)
    if data is None:
        hint = "get the key's file from its owner, and name that"
        raise InputError("the build cache publishes no key with this fingerprint", None, hint)
    with keyring() as apart:
        found = apart.add(data, f"the key that {cache.address} publishes")
    if found != [fingerprint]:
        raise InputError("the build cache publishes another key in its name", ", ".join(found))
    ring.add(data, fingerprint)
