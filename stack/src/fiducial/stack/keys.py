"""Ed25519 keys that sign verdicts, releases and channel pointers.

A private key is one PKCS#8 PEM file that only its owner may read; a public key is one
SubjectPublicKeyInfo PEM file. The key id is the SHA-256 of the public key's DER form, so it
names the key and nothing else. Trust is never taken from a repository: the caller says
which public keys count.

Everything that signs asks for a :class:`Signer`, so that a key held elsewhere (a smart card,
a signing service) can take the place of :class:`PrivateKey`.

Neglects passphrases, expiry and revocation: a key is withdrawn by no longer trusting it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from fiducial.stack.errors import EnvironmentProblem, InputError

PUBLIC_SUFFIX = ".pub.pem"
"""How the file of a public key ends; a folder of trusted keys is searched for it."""


class PublicKey:
    """An Ed25519 public key and its id."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = hashlib.sha256(der).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """True where ``signature`` is this key's signature of ``message``."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def to_pem(self) -> bytes:
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Signer(Protocol):
    """Whatever can sign: a key in a file, a card, a service."""

    @property
    def key_id(self) -> str:
        """SHA-256 (hex) of the DER form of the public key."""
        ...

    @property
    def public(self) -> PublicKey:
        """Its public half, to check what it signed."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of ``message``."""
        ...


class PrivateKey:
    """An Ed25519 private key held in this process: the plain :class:`Signer`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = PublicKey(key.public_key())

    @classmethod
    def generate(cls) -> PrivateKey:
        return cls(Ed25519PrivateKey.generate())

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def public(self) -> PublicKey:
        return self._public

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def to_pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


TrustedKeys = Mapping[str, PublicKey]
"""The public keys that count, by key id."""


def default_key_path() -> Path:
    """Where the signing key is looked for: FIDUCIAL_SIGNING_KEY, else the user's configuration."""
    named = os.environ.get("FIDUCIAL_SIGNING_KEY")
    return Path(named) if named else _configuration() / "keys" / "signing.pem"


def default_trust_path() -> Path:
    """Where trusted public keys are looked for: FIDUCIAL_TRUST, else the user's configuration."""
    named = os.environ.get("FIDUCIAL_TRUST")
    return Path(named) if named else _configuration() / "trusted"


def create_private_key(path: Path) -> PrivateKey:
    """Make a key pair: ``path`` (mode 0600) and its public half beside it.

    Raises InputError where ``path`` exists (a key is never overwritten), EnvironmentProblem
    where it cannot be written.
    """
    key = PrivateKey.generate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            f"the key {path} exists already", hint="use it, or name another file"
        ) from None
    except OSError as error:
        raise EnvironmentProblem(f"cannot write the key {path}", why=str(error)) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(key.to_pem())
            stream.flush()
            os.fsync(stream.fileno())
        public_path(path).write_bytes(key.public.to_pem())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise EnvironmentProblem(f"cannot write the key {path}", why=str(error)) from error
    return key


def public_path(path: Path) -> Path:
    """Where the public half of the private key ``path`` lies."""
    return path.with_name(path.stem + PUBLIC_SUFFIX)


def read_private_file(path: Path, what: str, hint: str) -> bytes:
    """The bytes of the private key in ``path``; refuse one that others may read or replace.

    ``what`` it is and the ``hint`` where it is absent go into the EnvironmentProblem.
    """
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            data = stream.read(65536)
    except FileNotFoundError:
        raise EnvironmentProblem(f"no {what} {path}", hint=hint) from None
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the {what} {path}", why=str(error)) from error
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise EnvironmentProblem(
            f"the {what} {path} is refused",
            why=f"its mode {mode:04o} lets others read or change it",
            hint=f"chmod 600 {path}, and replace the key if others may have read it",
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise EnvironmentProblem(
            f"the {what} {path} is refused", why=f"it belongs to user id {status.st_uid}"
        )
    return data


def load_private_key(path: Path) -> PrivateKey:
    """Read a private key; refuse one that others may read.

    Raises EnvironmentProblem where there is no such file or others may read it, InputError
    where it holds no Ed25519 private key.
    """
    pem = read_private_file(path, "signing key", f"make one: fiducial key new {path}")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds no private key", why=str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(
            f"{path} holds no Ed25519 key",
            why=f"it is {type(key).__name__}",
            hint="make one: fiducial key new FILE",
        )
    return PrivateKey(key)


def load_public_key(path: Path) -> PublicKey:
    """Read a public key (PEM). Raises InputError, or EnvironmentProblem where it cannot be read."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the public key {path}", why=str(error)) from error
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise InputError(f"{path} holds no public key", why=str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path} holds no Ed25519 public key", why=f"it is {type(key).__name__}")
    return PublicKey(key)


def load_trusted_keys(paths: Iterable[Path]) -> dict[str, PublicKey]:
    """The keys of files and of folders (every ``*.pub.pem`` in one), by key id.

    Raises EnvironmentProblem where nothing at all is trusted: a check against no key would
    refuse everything for the wrong reason.
    """
    searched = list(paths)
    trusted: dict[str, PublicKey] = {}
    for path in searched:
        files = sorted(path.glob(f"*{PUBLIC_SUFFIX}")) if path.is_dir() else [path]
        for file in files:
            key = load_public_key(file)
            trusted[key.key_id] = key
    if not trusted:
        raise EnvironmentProblem(
            "no trusted public key",
            why="searched " + (", ".join(map(str, searched)) or "nowhere"),
            hint=f"put the publisher's *{PUBLIC_SUFFIX} there, or name it with --trust",
        )
    return trusted


def _configuration() -> Path:
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "fiducial"
