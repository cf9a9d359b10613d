"""OpenPGP keys and signatures, as Spack's build caches use them: through gpg, in a keyring apart.

A keyring lives as long as a ``with`` block, in a folder of its own that only we can read; it holds
the keys that were put into it and no others. The user's keyring is neither read nor written. A
key outside of it is one armoured file. Neglects passphrases: a secret key is protected by its
file's mode, as the keys that sign verdicts are.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import write_atomically
from fiducial.stack.keys import default_key_path
from fiducial.stack.tools import clean_environment

PUBLIC_SUFFIX = ".pub.asc"
FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_OWNER = "Fiducial build cache"
_BEGIN, _SIGNATURE = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"
_END = "-----END PGP SIGNATURE-----"
_LONGEST = 60  # a socket's path holds 107 bytes


class Standing(StrEnum):
    """What a signature is worth."""

    GOOD = "good"
    UNSIGNED = "not signed"
    UNTRUSTED = "signed by a key that is not trusted"
    BAD = "its signature is not right"


@dataclass(frozen=True)
class Signature:
    """A judged signature. ``payload`` is what was signed: empty unless it is good."""

    standing: Standing
    fingerprint: str = ""
    payload: bytes = b""


class Keyring:
    """gpg with the keys that were put in."""

    def __init__(self, home: Path, gpg: str) -> None:
        self.home, self._gpg = home, gpg

    @property
    def environment(self) -> dict[str, str]:
        """What makes Spack use this keyring."""
        return {"SPACK_GNUPGHOME": str(self.home), "GNUPGHOME": str(self.home)}

    def add(self, data: bytes, what: str) -> list[str]:
        """Put the keys of ``data`` in; their fingerprints. InputError where it holds none."""
        done = self._run(["--status-fd", "2", "--import"], data)
        rows = re.findall(rb"^\[GNUPG:\] IMPORT_OK \d+ ([0-9A-F]{40})", done.stderr, re.MULTILINE)
        found = list(dict.fromkeys(row.decode() for row in rows))
        if not found:
            raise InputError(f"{what} holds no OpenPGP key", _last(done.stderr))
        return found

    def secret_fingerprints(self) -> list[str]:
        """Keys of this ring that can sign."""
        text = self._run(["--with-colons", "--list-secret-keys"]).stdout.decode()
        return re.findall(r"^sec:.*\n(?:.*\n)*?fpr:+([0-9A-F]{40}):", text, re.MULTILINE)

    def public_fingerprints(self) -> list[str]:
        """Keys of this ring that signatures are held to."""
        text = self._run(["--with-colons", "--list-keys"]).stdout.decode()
        return re.findall(r"^pub:.*\n(?:.*\n)*?fpr:+([0-9A-F]{40}):", text, re.MULTILINE)

    def export(self, fingerprint: str, secret: bool = False) -> bytes:
        """A key in armour."""
        which = "--export-secret-keys" if secret else "--export"
        return self._run(["--armor", which, fingerprint]).stdout

    def generate(self) -> str:
        """Make a signing key in this ring; its fingerprint."""
        arguments = ["--pinentry-mode", "loopback", "--passphrase", ""]
        done = self._run([*arguments, "--quick-gen-key", _OWNER, "ed25519", "sign", "never"])
        if done.returncode != 0:
            raise EnvironmentProblem("gpg cannot make a key", _last(done.stderr))
        return self.secret_fingerprints()[0]

    def judge(self, text: bytes) -> Signature:
        """What the clear-signed ``text`` is worth with the keys of this ring."""
        body = text.decode("utf-8", "replace").strip()
        if not body.startswith(_BEGIN):
            return Signature(Standing.UNSIGNED)
        whole = body.count(_BEGIN) == body.count(_SIGNATURE) == body.count(_END) == 1
        if not whole or not body.endswith(_END):
            return Signature(Standing.BAD)  # more around it than what was signed
        done = self._run(["--status-fd", "2", "--output", "-", "--decrypt"], text)
        said = done.stderr.decode("utf-8", "replace")
        valid = re.search(r"^\[GNUPG:\] VALIDSIG (.*)$", said, re.MULTILINE)
        if valid and done.returncode == 0 and "[GNUPG:] GOODSIG " in said:
            return Signature(Standing.GOOD, valid[1].split()[-1], done.stdout)
        unknown = re.search(r"^\[GNUPG:\] ERRSIG (.*)$", said, re.MULTILINE)
        if unknown and "[GNUPG:] NO_PUBKEY " in said:
            words = unknown[1].split()
            known = len(words) > 6 and FINGERPRINT.fullmatch(words[6])
            return Signature(Standing.UNTRUSTED, words[6] if known else words[0])
        return Signature(Standing.BAD)

    def _run(self, arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [self._gpg, "--homedir", str(self.home), "--batch", "--no-tty", *arguments]
        environment = clean_environment({"LC_ALL": "C"})
        try:
            return subprocess.run(
                command, input=data, env=environment, capture_output=True, check=False
            )
        except OSError as error:
            raise EnvironmentProblem("cannot run gpg", error.strerror) from error


def _last(said: bytes) -> str:
    lines = [row for row in said.decode(errors="replace").splitlines() if "[GNUPG:]" not in row]
    return lines[-1] if lines else "gpg does not say why"


@contextmanager
def keyring(keys: Mapping[str, bytes] | None = None) -> Iterator[Keyring]:
    """A keyring that holds ``keys`` (by what they are called in errors), and is gone afterwards."""
    gpg, gpgconf = shutil.which("gpg"), shutil.which("gpgconf")
    if gpg is None or gpgconf is None:
        hint = "install GnuPG 2, which Spack needs to sign and verify build caches"
        raise EnvironmentProblem("no gpg found", f"looked in {os.environ.get('PATH', '')}", hint)
    place = tempfile.gettempdir()
    home = Path(tempfile.mkdtemp(prefix="fgpg-", dir="/tmp" if len(place) > _LONGEST else place))
    try:
        ring = Keyring(home, gpg)
        for what, data in (keys or {}).items():
            ring.add(data, what)
        yield ring
    finally:
        subprocess.run(
            [gpgconf, "--homedir", str(home), "--kill", "all"], capture_output=True, check=False
        )
        shutil.rmtree(home, ignore_errors=True)


def default_secret_path() -> Path:
    """Where the signing key of build caches is looked for: FIDUCIAL_BUILDCACHE_KEY, else ours."""
    named = os.environ.get("FIDUCIAL_BUILDCACHE_KEY")
    return Path(named) if named else default_key_path().with_name("buildcache.asc")


def public_path(path: Path) -> Path:
    """Where the public half of the key at ``path`` lies."""
    return path.with_name(path.name.removesuffix(".asc") + PUBLIC_SUFFIX)


def create_key(path: Path) -> str:
    """Make a signing key at ``path``, its public half beside it; the fingerprint."""
    for place in (path, public_path(path)):
        if place.exists():
            raise InputError(f"{place} exists", "a key is never overwritten", "name another file")
    with keyring() as ring:
        fingerprint = ring.generate()
        secret, public = ring.export(fingerprint, secret=True), ring.export(fingerprint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secret)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise from_os_error(error, "write the key", path) from error
    write_atomically(public_path(path), public)
    return fingerprint


def read_secret(path: Path) -> bytes:
    """The signing key in the file ``path``, which nobody else may read."""
    try:
        data, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError as error:
        hint = f"make it with: fiducial buildcache key {path}"
        raise InputError(f"no signing key at {path}", None, hint) from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}", error.strerror) from error
    if mode & 0o077:
        why = f"its mode is {mode:03o}: others can read it"
        raise InputError(f"the signing key {path} is not safe", why, f"chmod 600 {path}")
    return data
