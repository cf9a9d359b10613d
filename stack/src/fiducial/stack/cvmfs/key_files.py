"""The key files of a repository, with the names that ``cvmfs_server`` gives them.

    <name>.masterkey   private, signs whitelists; keep it off line
    <name>.pub         its public half; give it to sites
    <name>.key         private, signs manifests
    <name>.crt         its certificate

Private keys are written with mode 0600, in a folder with mode 0700, and refused where others
can read them. A key is never overwritten.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fiducial.stack.cvmfs.signing import (
    Certificate,
    MasterKey,
    MasterPrivateKey,
    RepositoryKey,
)
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.files import fsync_directory, write_atomically
from fiducial.stack.keys import read_private_file

KEY_BITS = 2048
CERTIFICATE_DAYS = 365


def default_key_folder() -> Path:
    """FIDUCIAL_CVMFS_KEYS, else ``cvmfs-keys`` in the user's configuration."""
    named = os.environ.get("FIDUCIAL_CVMFS_KEYS")
    if named:
        return Path(named)
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "fiducial" / "cvmfs-keys"


@dataclass(frozen=True)
class KeyFiles:
    """Where the keys of repository ``name`` lie."""

    folder: Path
    name: str

    @property
    def master_private(self) -> Path:
        return self.folder / f"{self.name}.masterkey"

    @property
    def master_public(self) -> Path:
        return self.folder / f"{self.name}.pub"

    @property
    def repository_private(self) -> Path:
        return self.folder / f"{self.name}.key"

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.crt"

    def create(self, now: datetime.datetime) -> None:
        """Make all four. Raises InputError where one exists already."""
        for path in (
            self.master_private, self.master_public, self.repository_private, self.certificate,
        ):  # fmt: skip
            if path.exists():
                raise InputError(
                    f"the key {path} exists already", None,
                    "use it (create with --existing-keys), or name another folder",
                )  # fmt: skip
        master, key = (rsa.generate_private_key(65537, KEY_BITS) for _ in range(2))
        title = f"{self.name} CernVM-FS Release Managers"[:64]
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, title)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
            .sign(key, hashes.SHA256())
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise from_os_error(error, "make the key folder", self.folder) from error
        _write_private(self.master_private, master)
        _write_private(self.repository_private, key)
        write_atomically(self.master_public, MasterPrivateKey(master).public_pem())
        write_atomically(self.certificate, certificate.public_bytes(Encoding.PEM))

    def load_repository_key(self) -> RepositoryKey:
        """The key that signs manifests, with its certificate."""
        key = _load_private(self.repository_private)
        return RepositoryKey(key, load_certificate(self.certificate))

    def load_master_key(self) -> MasterPrivateKey:
        """The key that signs whitelists."""
        return MasterPrivateKey(_load_private(self.master_private))


def load_certificate(path: Path) -> Certificate:
    """The certificate in file ``path``."""
    try:
        return Certificate(_read(path))
    except InputError as error:
        raise InputError(f"the certificate {path} is refused", str(error)) from error


def load_master_public(path: Path) -> MasterKey:
    """The master public key in file ``path``."""
    try:
        return MasterKey(_read(path))
    except InputError as error:
        raise InputError(f"the master public key {path} is refused", str(error)) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise from_os_error(error, "read", path) from error


def _write_private(path: Path, key: rsa.RSAPrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        fsync_directory(path.parent)
    except OSError as error:
        raise from_os_error(error, "write the key", path) from error


def _load_private(path: Path) -> rsa.RSAPrivateKey:
    pem = read_private_file(path, "key", "name the folder of the keys with --keys")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds no private key", str(error)) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError(f"{path} holds no RSA key", type(key).__name__)
    return key
