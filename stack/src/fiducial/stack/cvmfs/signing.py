"""Signatures as CernVM-FS makes them, behind two small interfaces.

The *repository key* signs manifests: RSA, PKCS#1 v1.5, with SHA-1 in its DigestInfo, over the
digest written as text; its public half is in an X.509 certificate. The *master key* signs the
whitelist of certificates: RSA, PKCS#1 v1.5 type 1 padding, over the text itself with no
DigestInfo. Whoever holds a key elsewhere (a card, a service) provides a ManifestSigner or a
WhitelistSigner of their own.

Both forms are the format's, not a choice. Neglects revocation: a key is withdrawn by taking
its certificate off the whitelist.
"""

from __future__ import annotations

from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from fiducial.stack.errors import EnvironmentProblem, InputError

_PADDING_OVERHEAD = 11


class Certificate:
    """The X.509 certificate of a repository key."""

    def __init__(self, pem: bytes) -> None:
        try:
            self.x509 = x509.load_pem_x509_certificate(pem)
            key = self.x509.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InputError("it holds no certificate", str(error)) from error
        if not isinstance(key, rsa.RSAPublicKey):
            raise InputError("its key is no RSA key", type(key).__name__)
        self.pem, self._key = pem, key

    @property
    def fingerprint(self) -> str:
        """SHA-1 of the DER form, as whitelists hold it: ``AA:BB:…``."""
        digest = self.x509.fingerprint(hashes.SHA1()).hex().upper()
        return ":".join(digest[place : place + 2] for place in range(0, 40, 2))

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """True where ``signature`` is that of the certificate's key for ``message``."""
        try:
            self._key.verify(signature, message, padding.PKCS1v15(), hashes.SHA1())
        except InvalidSignature:
            return False
        except UnsupportedAlgorithm as error:
            raise _no_sha1(error) from error
        return True


class MasterKey:
    """A master public key: what a site trusts."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InputError("it holds no public key", str(error)) from error
        if not isinstance(key, rsa.RSAPublicKey):
            raise InputError("it is no RSA key", type(key).__name__)
        self._key = key

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """True where ``signature`` is the padded ``message``, raised to the private exponent."""
        numbers = self._key.public_numbers()
        length = (numbers.n.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != length or number >= numbers.n:
            return False
        return pow(number, numbers.e, numbers.n).to_bytes(length, "big") == pad(message, length)


class ManifestSigner(Protocol):
    """Whatever signs manifests."""

    @property
    def certificate(self) -> Certificate:
        """The certificate that clients check the signature with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """RSA signature (PKCS#1 v1.5, SHA-1) of ``message``."""
        ...


class WhitelistSigner(Protocol):
    """Whatever signs whitelists."""

    def sign(self, message: bytes) -> bytes:
        """``message`` with type 1 padding, raised to the private exponent."""
        ...

    def public_pem(self) -> bytes:
        """The public half, which sites trust."""
        ...


class RepositoryKey:
    """A repository key and its certificate, held in this process."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: Certificate) -> None:
        self._key, self._certificate = key, certificate
        if certificate.x509.public_key() != key.public_key():
            raise InputError("the certificate does not belong to the repository key")

    @property
    def certificate(self) -> Certificate:
        return self._certificate

    def sign(self, message: bytes) -> bytes:
        try:
            return self._key.sign(message, padding.PKCS1v15(), hashes.SHA1())
        except UnsupportedAlgorithm as error:
            raise _no_sha1(error) from error


class MasterPrivateKey:
    """A master key held in this process."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    def sign(self, message: bytes) -> bytes:
        numbers = self._key.private_numbers()
        modulus = numbers.public_numbers.n
        length = (modulus.bit_length() + 7) // 8
        number = int.from_bytes(pad(message, length), "big")
        return pow(number, numbers.d, modulus).to_bytes(length, "big")

    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pad(message: bytes, length: int) -> bytes:
    """PKCS#1 v1.5 type 1 padding to ``length`` bytes."""
    if len(message) > length - _PADDING_OVERHEAD:
        raise ValueError(f"{len(message)} bytes are too many for a key of {8 * length} bits")
    return b"\x00\x01" + b"\xff" * (length - 3 - len(message)) + b"\x00" + message


def _no_sha1(error: Exception) -> EnvironmentProblem:
    return EnvironmentProblem(
        "SHA-1 signatures cannot be made or checked here",
        f"the machine's OpenSSL policy forbids them: {error}",
        "CernVM-FS's format needs them: allow them for this program (update-crypto-policies)",
    )
