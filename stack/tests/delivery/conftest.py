"""Small stacks that look like built ones to everything that delivers them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fiducial.stack.files import sha256_bytes
from fiducial.stack.keys import PrivateKey, PublicKey
from fiducial.stack.manifest import (
    Builder,
    Entry,
    File,
    Interpreter,
    Link,
    Manifest,
    Package,
    Platform,
    write_manifest,
)
from fiducial.stack.progress import SilentProgress
from fiducial.stack.publish import RESULTS, VERDICT
from fiducial.stack.repository_directory import DirectoryRepository
from fiducial.stack.verdict import make_verdict

LOCK = sha256_bytes(b"the lock")
REFERENCES = sha256_bytes(b"the references")
HEAD = sha256_bytes(b"the first ten events")

SETUP = """\
export FIDUCIAL_LOCK_SHA256={lock}
export FIDUCIAL_STACK={stack}
export PATH="{prefix}/bin:$PATH"
"""


def make_results(passed: bool = True, lock: str = LOCK, **changes: Any) -> dict[str, Any]:
    """Results as fiducial.validation writes them, of one chain with two observables."""
    observables = [
        {
            "name": name, "title": name, "axis": "m [GeV]", "guards": "the mass", "passed": ok,
            "comparison": "chi2", "p_value": 0.4 if ok else 1e-9, "p_adjusted": 0.8 if ok else 2e-9,
            "pull": 0.3, "failure": None if ok else "differs",
            "value": {"estimate": 125.1, "error": 0.05},
            "reference": {"kind": "published", "source": "PDG", "sha256": REFERENCES,
                          "estimate": 125.0, "error": 0.1},
            "plot": f"plots/chain.{name}.svg",
        }
        for name, ok in (("mass", True), ("width", passed))
    ]  # fmt: skip
    run = {
        "format": 1, "chain": "chain", "seed": 7, "events": 100, "content_sha256": "a" * 64,
        "head": {"events": 10, "content_sha256": HEAD},
        "steps": [{"name": "generate", "use": "gun", "distribution": "fiducial-generators",
                   "version": "0.1.0", "events_in": 0, "events_out": 100, "seconds": 0.5,
                   "peak_rss_bytes": 1000000}],
        "wall_seconds": 0.6, "overhead_fraction": 0.1, "executor": "inprocess", "workers": 1,
    }  # fmt: skip
    failures = [] if passed else [
        {"chain": "chain", "observable": "width", "failure": "differs", "detail": "p = 1e-9"}
    ]  # fmt: skip
    return {
        "format": 1, "scale": "smoke", "passed": passed, "family_wise_alpha": 0.001,
        "method": "holm", "references_sha256": REFERENCES, "lock_sha256": lock,
        "chains": [{"name": "chain", "title": "A chain", "events": 100, "run": run,
                    "observables": observables}],
        "failures": failures,
    } | changes  # fmt: skip


@dataclass
class Site:
    """A folder with a stack, a key, and what a release manager does with them."""

    root: Path
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    progress: SilentProgress = field(default_factory=SilentProgress)

    @property
    def trusted(self) -> dict[str, PublicKey]:
        return {self.key.key_id: self.key.public}

    @property
    def repository(self) -> DirectoryRepository:
        return DirectoryRepository(self.root / "repository", create=True)

    def make_stack(self, name: str = "base-1", files: dict[str, bytes] | None = None) -> Path:
        """A prefix with a manifest, a setup script, a link and ``files``."""
        prefix = self.root / "stacks" / name
        shutil.rmtree(prefix, ignore_errors=True)
        contents = {
            "lib/one.py": b"print(1)\n", "lib/deep/er/data.bin": bytes(range(256)) * 40,
            "bin/tool": b"#!/bin/sh\necho tool\n", "lib/empty": b"",
            "lib/also-one.py": b"print(1)\n",
            "setup.sh": SETUP.format(lock=LOCK, stack=name, prefix=prefix).encode(),
        } | (files or {})  # fmt: skip
        entries: dict[str, Entry] = {}
        for path, data in contents.items():
            file = prefix / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            mode = 0o755 if path.startswith("bin/") else 0o644
            file.chmod(mode)
            entries[path] = File(sha256=sha256_bytes(data), size=len(data), mode=f"{mode:03o}")
        (prefix / "lib/link.py").symlink_to("one.py")
        entries["lib/link.py"] = Link(link="one.py")
        write_manifest(prefix, self.manifest(name, entries))
        return prefix

    def manifest(self, name: str, entries: dict[str, Entry]) -> Manifest:
        package = Package(
            name="one", version="1.0", kind="wheel", source_sha256="c" * 64, licence="MIT",
            files={k: v for k, v in sorted(entries.items()) if k.startswith("lib/")},
        )  # fmt: skip
        return Manifest(
            stack=name, environment="base", lock_sha256=LOCK, inputs_sha256="d" * 64,
            builder=Builder(name="wheels", version="1"),
            platform=Platform(system="linux", machine="x86_64", microarchitecture="x86-64-v3"),
            interpreter=Interpreter(mode="host", implementation="cpython", version="3.11",
                                    cache_tag="cpython-311", bound=("bin/python", "pyvenv.cfg")),
            packages=(package,),
            files={k: v for k, v in sorted(entries.items()) if not k.startswith("lib/")},
        )  # fmt: skip

    def judge(self, prefix: Path, results: dict[str, Any] | None = None, **options: Any) -> Path:
        """A validation's folder for ``prefix``: results, plots, and the signed verdict's path."""
        out = self.root / "validated" / prefix.name
        (out / "plots").mkdir(parents=True, exist_ok=True)
        for name in ("mass", "width"):
            (out / f"plots/chain.{name}.svg").write_text(f"<svg><!-- {name} --></svg>")
        data = json.dumps(make_results() if results is None else results).encode()
        (out / RESULTS).write_bytes(data)
        digest = sha256_bytes((prefix / "manifest.json").read_bytes())
        verdict = make_verdict(prefix.name, digest, data, options.pop("key", self.key), **options)
        (out / VERDICT).write_bytes(verdict)
        return out / VERDICT


def bind(prefix: Path, manifest: Manifest) -> None:
    """Stand-in for the interpreter's binding: the same two paths."""
    (prefix / "bin/python").unlink(missing_ok=True)
    (prefix / "bin/python").symlink_to("/bin/sh")
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of fsyncs do not wait for a busy disk."""
    memory = Path("/dev/shm")
    if not (os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30):
        yield tmp_path_factory.mktemp("delivery")
        return
    with tempfile.TemporaryDirectory(prefix="fiducial-test-", dir=memory) as name:
        yield Path(name)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def binder() -> Callable[[Path, Manifest], None]:
    return bind


@pytest.fixture
def results_of() -> Callable[..., dict[str, Any]]:
    return make_results


@pytest.fixture
def flip() -> Iterator[Callable[[Path, int], None]]:
    """Change one bit of one byte of a file, also of a read-only one."""

    def change(path: Path, position: int = -1) -> None:
        data = bytearray(path.read_bytes())
        data[position if position >= 0 else len(data) // 2] ^= 1
        mode = path.stat().st_mode
        path.chmod(0o644)
        path.write_bytes(bytes(data))
        path.chmod(mode)

    yield change
