"""A build cache made by hand, signed by real gpg, and a program that stands in for Spack."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fiducial.stack.spack.build_cache import Concrete, find_concrete
from fiducial.stack.spack.build_cache_entries import Cache, open_cache
from fiducial.stack.spack.lock_graph import node_hash
from fiducial.stack.spack.openpgp import create_key, public_path
from fiducial.stack.workspace import Workspace

STAND_IN = """\
#!/usr/bin/env python3
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
if words == ["--version"]:
    print("1.2.0")
    sys.exit()
scopes = [words[n + 1] for n, word in enumerate(words) if word == "-C"]
environment = words[words.index("-e") + 1] if "-e" in words else None
record = {"words": words, "gnupg": os.environ.get("SPACK_GNUPGHOME"), "scopes": {}}
for scope in scopes:
    for path in pathlib.Path(scope).glob("*.yaml"):
        record["scopes"][path.name] = path.read_text()
if environment:
    record["specs"] = (pathlib.Path(environment) / "spack.yaml").read_text()
with (here / "calls").open("a") as stream:
    stream.write(json.dumps(record) + "\\n")
state = here / "installed"
if "find" in words:
    print(state.read_text() if state.exists() else "")
elif "install" in words:
    lock = json.loads((pathlib.Path(environment) / "spack.lock").read_text())
    state.write_text("\\n".join(lock["concrete_specs"]))
elif (here / "fails").exists():
    print((here / "fails").read_text(), file=sys.stderr)
    sys.exit(1)
"""


@dataclass
class Made:
    """A cache, the environment that it holds, and the key that signed it."""

    folder: Path
    workspace: Workspace
    key: Path
    fingerprint: str
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Cache:
        return open_cache(str(self.folder))

    @property
    def concrete(self) -> Concrete:
        return find_concrete(self.workspace, "toy")

    def manifest(self, name: str) -> Path:
        (path,) = (self.folder / "v3/manifests/spec" / name).iterdir()
        return path

    def blob(self, data: bytes) -> str:
        """Put ``data`` in; its digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / "blobs/sha256" / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return digest

    def document(self, name: str) -> str:
        """The manifest of a package, not signed."""
        spec = {"spec": {"nodes": [{"name": name, "hash": self.hashes[name]}]}}
        rows = [
            ("application/vnd.spack.install.v2.tar+gzip", f"the files of {name}".encode()),
            (
                "application/vnd.spack.spec.v5+json",
                gzip.compress(json.dumps(spec).encode(), mtime=0),
            ),
        ]
        data = [
            {
                "contentLength": len(blob), "mediaType": media, "compression": "gzip",
                "checksumAlgorithm": "sha256", "checksum": self.blob(blob),
            }
            for media, blob in rows
        ]  # fmt: skip
        return json.dumps({"version": 3, "data": data})

    def put(self, name: str, text: str) -> None:
        """Write the manifest of a package."""
        file = f"{name}-1.0-{self.hashes[name]}.spec.manifest.json"
        path = self.folder / "v3/manifests/spec" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def publish(self, fingerprint: str, key: bytes) -> None:
        """Publish a key under a fingerprint."""
        row = {"checksum": self.blob(key), "checksumAlgorithm": "sha256"}
        path = self.folder / f"v3/manifests/key/{fingerprint}.key.manifest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 3, "data": [row]}))


def clear_sign(text: str, key: Path) -> str:
    """``text``, signed by the key in a file: by gpg alone, none of our code."""
    home = tempfile.mkdtemp(prefix="tgpg-", dir="/tmp")
    try:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        subprocess.run([*gpg, "--import", key], check=True, capture_output=True)
        done = subprocess.run(
            [*gpg, "--clearsign"], input=text, text=True, check=True, capture_output=True
        )
        return done.stdout
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(home)


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own: nothing of the user's keys or settings."""
    if shutil.which("gpg") is None:
        pytest.skip("no gpg here: install GnuPG 2")
    for name in [name for name in os.environ if name.startswith(("FIDUCIAL_", "SPACK", "GNUPG"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Two key pairs: ours, and somebody else's."""
    if shutil.which("gpg") is None:
        pytest.skip("no gpg here: install GnuPG 2")
    folder = tmp_path_factory.mktemp("keys")
    names = ("ours", "other")
    return {name: (folder / f"{name}.asc", create_key(folder / f"{name}.asc")) for name in names}


@pytest.fixture
def made(tmp_path: Path, keys: dict[str, tuple[Path, str]]) -> Made:
    """A cache with two packages, signed by our key, and the environment of just these."""
    root = tmp_path / "checkout"
    for folder in ("components", "environments/toy"):
        (root / folder).mkdir(parents=True)
    (root / "environments/toy/spack.yaml").write_text("spack: {specs: [alpha]}\n")
    entries = {}
    hashes: dict[str, str] = {}
    edges: list[dict[str, object]] = []
    for name in ("python", "beta", "alpha"):
        node: dict[str, object] = {
            "name": name, "version": "1.0", "namespace": "builtin", "parameters": {},
            "annotations": {"original_specfile_version": 5},
        }  # fmt: skip
        if name == "python":
            node["external"] = {"path": "/usr"}
        node["dependencies"] = list(edges)
        node["hash"] = hashes[name] = node_hash(node)
        entries[hashes[name]] = node
        how = {"deptypes": ["run"], "virtuals": []}
        edges = [{"name": name, "hash": hashes[name], "parameters": how}]
    document = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6},
        "spack": {"version": "1.2.0"},
        "roots": [{"hash": hashes["alpha"], "spec": "alpha@1.0"}],
        "concrete_specs": entries,
    }
    (root / "environments/toy/spack.lock").write_text(json.dumps(document))
    key, fingerprint = keys["ours"]
    made = Made(tmp_path / "cache", Workspace(root), key, fingerprint, hashes)
    for name in ("alpha", "beta"):
        made.put(name, clear_sign(made.document(name), key))
    made.publish(fingerprint, public_path(key).read_bytes())
    return made


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for Spack that writes down how it is called; its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "spack").write_text(STAND_IN)
    (folder / "spack").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield folder


@pytest.fixture
def sign() -> object:
    """Sign text with the key in a file."""
    return clear_sign
